"""What can go wrong between this computer and the server, each with a whole sentence for the person."""

from deskbell_desktop.core import foreign


class LinkError(Exception):
    """Its text is for the person: what happened, and what to do. What a server or a proxy put into it is cleaned.

    LinkError
    ├── AddressError      what was typed is no server's address
    ├── UnreachableError  no way there, nobody there, or no answer
    ├── UnsafeError       the server cannot prove who it is
    ├── NotDeskbellError  something else answers there
    └── ApiError          Deskbell answers, and says no
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(foreign.sentence(sentence))


class AddressError(LinkError):
    pass


class UnreachableError(LinkError):
    pass


class UnsafeError(LinkError):
    pass


class NotDeskbellError(LinkError):
    pass


class ApiError(LinkError):
    """`code` is the protocol's."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
