"""Every sentence that core and io show to a person, in one place and one tone. A translation overrides all of them."""

from datetime import datetime

from deskbell_protocol import limits


class Words:
    """English. Made by the composition root and handed to whoever has something to say."""

    def __init__(self, settings: str = "settings.json") -> None:
        self._settings = settings
        """Path of the file with the settings."""

    # -- popups ---------------------------------------------------------------------------------------------------

    def new_messages(self, count: int) -> str:
        return "1 new message" if count == 1 else f"{count} new messages"

    def while_away(self, count: int) -> str:
        return "1 message waited for you" if count == 1 else f"{count} messages waited for you"

    def from_people(self, labels: list[str]) -> str:
        """`labels` newest first; names at most three."""
        if len(labels) <= 3:
            return "From " + ", ".join(labels)
        return f"From {', '.join(labels[:3])} and {len(labels) - 3} more"

    def in_group(self, sender: str, group: str) -> str:
        return f"{sender} in {group}"

    def counted(self, title: str, count: int) -> str:
        """A popup's title, which stands for `count` messages."""
        return title if count < 2 else f"{title} ({count} new)"

    def important(self, title: str) -> str:
        return f"Important: {title}"

    def urgent(self, title: str) -> str:
        return f"Urgent: {title}"

    def notice_title(self) -> str:
        """Over a problem of this computer or of the program itself."""
        return "Deskbell needs your attention"

    # -- conversations --------------------------------------------------------------------------------------------

    def conversation_title(self, labels: list[str]) -> str:
        return ", ".join(labels)

    def last_in_group(self, sender: str, text: str) -> str:
        return f"{sender}: {text}"

    def pruned(self, at: int) -> str:
        return f"Older messages are no longer on the server ({_day(at)})."

    def started_over(self, at: int) -> str:
        return f"The server was restored on or before {_day(at)}. Some messages may be missing around here."

    # -- sending --------------------------------------------------------------------------------------------------

    def not_sent(self, why: str) -> str:
        """`why` is one of the sentences below, or of the refusals."""
        return f"Not sent. {why}"

    def unsent(self, count: int) -> str:
        return "1 message was not sent" if count == 1 else f"{count} messages were not sent"

    def unsent_to(self, whom: str) -> str:
        return f"Not sent to {whom}"

    def too_long(self, size: int) -> str:
        """`size` in bytes."""
        most = limits.BODY_BYTES // 1024
        return f"The text has {size / 1024:.1f} KiB, and at most {most} KiB go into one message."

    def empty(self) -> str:
        return "There is nothing in it."

    def expired(self) -> str:
        return "The server could not be reached for three days. Try again when you like."

    # -- refusals, by their code (`core/refusals.py`) --------------------------------------------------------------

    def nobody(self, names: str) -> str:
        return f"Nobody here is called {names}."

    def everyone_closed(self) -> str:
        return "Only administrators write to everyone."

    def group_closed(self, group: str) -> str:
        return f"Only members write to {group}."

    def answered_is_gone(self) -> str:
        return "What this answers to is no longer on the server."

    def number_taken(self) -> str:
        return "The server has another text under its number. Discard this one and write it again."

    def not_valid(self) -> str:
        return "The server does not accept what was typed."

    def versions_differ(self) -> str:
        return "The server does not understand this version of Deskbell."

    def too_fast(self, seconds: int) -> str:
        return f"Too many at once. Try again in {seconds} s."

    def too_many_devices(self) -> str:
        return "You are signed in on too many devices. Sign out on one of them first."

    def busy(self) -> str:
        return "The server is busy. Try again in a moment."

    def unavailable(self) -> str:
        return "The server cannot store anything right now. Try again in a moment."

    def server_failed(self) -> str:
        return "Something went wrong in the server. Try again in a moment."

    def refused(self) -> str:
        return "The server refused it, for a reason that this version of Deskbell does not know."

    # -- signing in and out ---------------------------------------------------------------------------------------

    def sign_in_again(self) -> str:
        return "You were signed out on this computer. Sign in again; nothing you wrote is lost."

    def upgrade(self) -> str:
        return "This version of Deskbell is too old for the server. Please update it."

    def not_accepted(self) -> str:
        """The server will never let this program in as it is."""
        return "The server does not accept this version of Deskbell. Please update it."

    def signed_out(self, waiting: int) -> str:
        if waiting == 0:
            return "You are signed out."
        what = "1 message that was not sent stays" if waiting == 1 else f"{waiting} messages that were not sent stay"
        return f"You are signed out. {what} on this computer and will go out when you sign in again."

    def wrong_password(self) -> str:
        return "That name and password do not match."

    def keyring_failed(self, why: str) -> str:
        return f"The keyring could not be asked ({why}). Please sign in."

    def keyring_waits(self) -> str:
        return "Your keyring waits for you to unlock it."

    def no_keyring(self) -> str:
        return "this computer offers no keyring"

    def not_kept(self, why: str) -> str:
        return (
            f"Your sign-in could not be kept ({why}). "
            "Deskbell stays signed in until it ends, and will ask again at its next start."
        )

    # -- the server -----------------------------------------------------------------------------------------------

    def no_address(self, typed: str) -> str:
        return f"“{typed}” is not an address. It looks like https://desk.example.org."

    def plain_http(self, host: str) -> str:
        return (
            f"http://{host} would send your password and messages readable for anyone on the way. "
            "Use https, or choose to send them without encryption."
        )

    def unknown_host(self, host: str) -> str:
        return f"There is no server named {host}. Check the address, and the network."

    def nothing_listens(self, host: str) -> str:
        return f"Nothing listens at {host}. Does the server run, and is the port right?"

    def unreachable(self, host: str) -> str:
        return f"{host} cannot be reached. Is this computer connected?"

    def no_answer(self, host: str) -> str:
        return f"{host} does not answer."

    def broke_off(self, host: str) -> str:
        return f"{host} broke off the connection."

    def bad_certificate(self, host: str, why: str) -> str:
        """`why` is one of the four below, or what OpenSSL says."""
        return f"{host} cannot prove who it is: {why}. Nothing was sent."

    def certificate_untrusted(self) -> str:
        return "its certificate comes from nobody that this computer trusts"

    def own_authority(self) -> str:
        return (
            f"If your organisation has an authority of its own, give the file of its certificate as ca_file in "
            f"{self._settings}, and start Deskbell again."
        )

    def certificate_expired(self) -> str:
        return "its certificate has expired"

    def certificate_early(self) -> str:
        return "its certificate is not valid yet, or this computer's clock is wrong"

    def certificate_of_another(self) -> str:
        return "its certificate is made out to another name"

    def bad_tls(self, host: str) -> str:
        return f"{host} does not speak TLS as it should. Perhaps the port is another one."

    def bad_ca_file(self, path: str, why: str) -> str:
        return f"The certificate file {path}, which is ca_file in {self._settings}, cannot be used ({why})."

    def plain_server(self, host: str) -> str:
        """It was asked without a name and a password."""
        return (
            f"{host} answers without encryption. Ask for its https address; or, where nobody on the way can read "
            f"along, type http://{host} and choose to send your password without encryption."
        )

    def proxy_unreachable(self, proxy: str, host: str) -> str:
        return f"The proxy {proxy}, which is set on this computer for {host}, cannot be reached."

    def proxy_refused(self, proxy: str, host: str, status: int) -> str:
        return f"The proxy {proxy}, which is set on this computer, does not let Deskbell through to {host} ({status})."

    def gateway(self, host: str, status: int) -> str:
        return f"{host} answers, but the Deskbell server behind it does not ({status})."

    def redirected(self, host: str, target: str) -> str:
        return f"{host} sends us on to {target}. Type that address, if it is right."

    def not_deskbell(self, address: str) -> str:
        return f"{address} answers, but it is not a Deskbell server."

    def unknown_failure(self) -> str:
        return "The connection failed for a reason that Deskbell does not know. It keeps trying."

    def network_stopped(self) -> str:
        return "The network part of Deskbell has stopped. Quit it and start it again."

    # -- this computer --------------------------------------------------------------------------------------------

    def store_set_aside(self, name: str) -> str:
        return (
            f"The messages kept on this computer could not be read. They were put aside as {name}; "
            "Deskbell fetches them again from the server."
        )

    def store_outdated(self, name: str) -> str:
        return (
            f"The messages kept on this computer are of another version of Deskbell. They were put aside as {name}; "
            "Deskbell fetches them again from the server."
        )

    def store_unwritable(self, folder: str, why: str) -> str:
        return (
            f"Deskbell cannot write to {folder} ({why}). Until that is mended, "
            "messages and what you write are kept only while it runs."
        )

    def store_mended_title(self) -> str:
        return "Deskbell can write again"

    def store_mended(self) -> str:
        return "What came and what you wrote meanwhile is kept on this computer now."

    def store_lost(self) -> str:
        """At the end, while nothing can be written."""
        return (
            "Deskbell cannot write to this computer's disk. What you wrote and is not sent yet is lost when you go on."
        )

    def settings_damaged(self, path: str) -> str:
        return f"The settings in {path} could not be read. Deskbell begins with its own."

    def settings_not_kept(self, path: str, why: str) -> str:
        return f"The settings could not be written to {path} ({why})."


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d")
