"""`python -m tests.torture.power.launch FOLDER LOG ARGS`: the real server, its databases in FOLDER recorded in LOG."""

import sys
from pathlib import Path

from deskbell_server.__main__ import main
from tests.torture.power import recorder

if __name__ == "__main__":
    folder, log = map(Path, sys.argv[1:3])
    del sys.argv[1:3]
    recorder.begin(folder, log)
    main()
