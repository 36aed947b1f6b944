"""The tray program: `app.py` joins the parts; `core` decides, `io` talks, `qt` and `notify` show."""

from deskbell_protocol import __version__ as __version__
