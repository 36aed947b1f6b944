"""What only the tests need from npm, fetched once into this checkout."""

from pathlib import Path

import vendor

CACHE = Path(__file__).parent.parent.parent / "node_modules" / ".deskbell-tests"

JQUERY = vendor.Package(
    "jquery",
    "1.12.4",
    "sha512-UEVp7PPK9xXYSk8xqXCJrkXnKZtlgWkd2GsAQbMRFK6S/ePU2JN5G2Zum8hIVjzR3CpdfSqdqAzId/xd4TJHeg==",
    {"dist/jquery.min.js": "jquery.min.js"},
)
AXE = vendor.Package(
    "axe-core",
    "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    {"axe.min.js": "axe.min.js"},
)


def from_npm(package: vendor.Package) -> Path:
    """The folder with the package's files."""
    folder = CACHE / f"{package.name}-{package.version}"
    vendor.bring(package, folder)
    return folder
