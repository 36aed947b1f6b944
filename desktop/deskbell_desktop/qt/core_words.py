"""The sentences of core and io in the person's language: every one of `Words`, by the same way as the widgets' own."""

import re
from datetime import datetime

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from deskbell_desktop.core.words import Words
from deskbell_protocol import limits

translate = QCoreApplication.translate


def fill(sentence: str, *values: object) -> str:
    """`sentence` with `%1`, `%2` … replaced in one go: a value that itself contains `%1` stays as it is."""
    return re.sub(r"%([1-9])", lambda match: str(values[int(match[1]) - 1]), sentence)


def _day(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000).astimezone()
    date = QDate(moment.year, moment.month, moment.day)
    return date.toString("yyyy-MM-dd") if QLocale().language() == QLocale.Language.English else QLocale().toString(date)


class TranslatedWords(Words):
    """English as in the base class where there is no translation; a test holds the two together."""

    # -- popups ---------------------------------------------------------------------------------------------------

    def new_messages(self, count: int) -> str:
        return translate("Core", "1 new message") if count == 1 else fill(translate("Core", "%1 new messages"), count)

    def while_away(self, count: int) -> str:
        if count == 1:
            return translate("Core", "1 message waited for you")
        return fill(translate("Core", "%1 messages waited for you"), count)

    def from_people(self, labels: list[str]) -> str:
        comma = translate("Core", ", ")
        if len(labels) <= 3:
            return fill(translate("Core", "From %1"), comma.join(labels))
        return fill(translate("Core", "From %1 and %2 more"), comma.join(labels[:3]), len(labels) - 3)

    def in_group(self, sender: str, group: str) -> str:
        return fill(translate("Core", "%1 in %2"), sender, group)

    def counted(self, title: str, count: int) -> str:
        return title if count < 2 else fill(translate("Core", "%1 (%2 new)"), title, count)

    def important(self, title: str) -> str:
        return fill(translate("Core", "Important: %1"), title)

    def urgent(self, title: str) -> str:
        return fill(translate("Core", "Urgent: %1"), title)

    def notice_title(self) -> str:
        return translate("Core", "Deskbell needs your attention")

    # -- conversations --------------------------------------------------------------------------------------------

    def conversation_title(self, labels: list[str]) -> str:
        return translate("Core", ", ").join(labels)

    def last_in_group(self, sender: str, text: str) -> str:
        return fill(translate("Core", "%1: %2"), sender, text)

    def pruned(self, at: int) -> str:
        return fill(translate("Core", "Older messages are no longer on the server (%1)."), _day(at))

    def started_over(self, at: int) -> str:
        sentence = translate(
            "Core", "The server was restored on or before %1. Some messages may be missing around here."
        )
        return fill(sentence, _day(at))

    # -- sending --------------------------------------------------------------------------------------------------

    def not_sent(self, why: str) -> str:
        return fill(translate("Core", "Not sent. %1"), why)

    def unsent(self, count: int) -> str:
        if count == 1:
            return translate("Core", "1 message was not sent")
        return fill(translate("Core", "%1 messages were not sent"), count)

    def unsent_to(self, whom: str) -> str:
        return fill(translate("Core", "Not sent to %1"), whom)

    def too_long(self, size: int) -> str:
        sentence = translate("Core", "The text has %1 KiB, and at most %2 KiB go into one message.")
        return fill(sentence, f"{size / 1024:.1f}", limits.BODY_BYTES // 1024)

    def empty(self) -> str:
        return translate("Core", "There is nothing in it.")

    def expired(self) -> str:
        return translate("Core", "The server could not be reached for three days. Try again when you like.")

    # -- refusals -------------------------------------------------------------------------------------------------

    def nobody(self, names: str) -> str:
        return fill(translate("Core", "Nobody here is called %1."), names)

    def everyone_closed(self) -> str:
        return translate("Core", "Only administrators write to everyone.")

    def group_closed(self, group: str) -> str:
        return fill(translate("Core", "Only members write to %1."), group)

    def answered_is_gone(self) -> str:
        return translate("Core", "What this answers to is no longer on the server.")

    def number_taken(self) -> str:
        return translate("Core", "The server has another text under its number. Discard this one and write it again.")

    def not_valid(self) -> str:
        return translate("Core", "The server does not accept what was typed.")

    def versions_differ(self) -> str:
        return translate("Core", "The server does not understand this version of Deskbell.")

    def too_fast(self, seconds: int) -> str:
        return fill(translate("Core", "Too many at once. Try again in %1 s."), seconds)

    def too_many_devices(self) -> str:
        return translate("Core", "You are signed in on too many devices. Sign out on one of them first.")

    def busy(self) -> str:
        return translate("Core", "The server is busy. Try again in a moment.")

    def unavailable(self) -> str:
        return translate("Core", "The server cannot store anything right now. Try again in a moment.")

    def server_failed(self) -> str:
        return translate("Core", "Something went wrong in the server. Try again in a moment.")

    def refused(self) -> str:
        return translate("Core", "The server refused it, for a reason that this version of Deskbell does not know.")

    # -- signing in and out ---------------------------------------------------------------------------------------

    def sign_in_again(self) -> str:
        return translate("Core", "You were signed out on this computer. Sign in again; nothing you wrote is lost.")

    def upgrade(self) -> str:
        return translate("Core", "This version of Deskbell is too old for the server. Please update it.")

    def not_accepted(self) -> str:
        return translate("Core", "The server does not accept this version of Deskbell. Please update it.")

    def signed_out(self, waiting: int) -> str:
        if waiting == 0:
            return translate("Core", "You are signed out.")
        one = translate(
            "Core",
            "You are signed out. 1 message that was not sent stays on this computer and will go out when you "
            "sign in again.",
        )
        many = translate(
            "Core",
            "You are signed out. %1 messages that were not sent stay on this computer and will go out when you "
            "sign in again.",
        )
        return one if waiting == 1 else fill(many, waiting)

    def wrong_password(self) -> str:
        return translate("Core", "That name and password do not match.")

    def keyring_failed(self, why: str) -> str:
        return fill(translate("Core", "The keyring could not be asked (%1). Please sign in."), why)

    def keyring_waits(self) -> str:
        return translate("Core", "Your keyring waits for you to unlock it.")

    def no_keyring(self) -> str:
        return translate("Core", "this computer offers no keyring")

    def not_kept(self, why: str) -> str:
        sentence = translate(
            "Core",
            "Your sign-in could not be kept (%1). "
            "Deskbell stays signed in until it ends, and will ask again at its next start.",
        )
        return fill(sentence, why)

    # -- the server -----------------------------------------------------------------------------------------------

    def no_address(self, typed: str) -> str:
        return fill(translate("Core", "“%1” is not an address. It looks like https://desk.example.org."), typed)

    def plain_http(self, host: str) -> str:
        sentence = translate(
            "Core",
            "http://%1 would send your password and messages readable for anyone on the way. "
            "Use https, or choose to send them without encryption.",
        )
        return fill(sentence, host)

    def unknown_host(self, host: str) -> str:
        return fill(translate("Core", "There is no server named %1. Check the address, and the network."), host)

    def nothing_listens(self, host: str) -> str:
        return fill(translate("Core", "Nothing listens at %1. Does the server run, and is the port right?"), host)

    def unreachable(self, host: str) -> str:
        return fill(translate("Core", "%1 cannot be reached. Is this computer connected?"), host)

    def no_answer(self, host: str) -> str:
        return fill(translate("Core", "%1 does not answer."), host)

    def broke_off(self, host: str) -> str:
        return fill(translate("Core", "%1 broke off the connection."), host)

    def bad_certificate(self, host: str, why: str) -> str:
        return fill(translate("Core", "%1 cannot prove who it is: %2. Nothing was sent."), host, why)

    def certificate_untrusted(self) -> str:
        return translate("Core", "its certificate comes from nobody that this computer trusts")

    def own_authority(self) -> str:
        sentence = translate(
            "Core",
            "If your organisation has an authority of its own, give the file of its certificate as ca_file in "
            "%1, and start Deskbell again.",
        )
        return fill(sentence, self._settings)

    def certificate_expired(self) -> str:
        return translate("Core", "its certificate has expired")

    def certificate_early(self) -> str:
        return translate("Core", "its certificate is not valid yet, or this computer's clock is wrong")

    def certificate_of_another(self) -> str:
        return translate("Core", "its certificate is made out to another name")

    def bad_tls(self, host: str) -> str:
        return fill(translate("Core", "%1 does not speak TLS as it should. Perhaps the port is another one."), host)

    def bad_ca_file(self, path: str, why: str) -> str:
        sentence = translate("Core", "The certificate file %1, which is ca_file in %3, cannot be used (%2).")
        return fill(sentence, path, why, self._settings)

    def plain_server(self, host: str) -> str:
        sentence = translate(
            "Core",
            "%1 answers without encryption. Ask for its https address; or, where nobody on the way can read along, "
            "type http://%1 and choose to send your password without encryption.",
        )
        return fill(sentence, host)

    def proxy_unreachable(self, proxy: str, host: str) -> str:
        sentence = translate("Core", "The proxy %1, which is set on this computer for %2, cannot be reached.")
        return fill(sentence, proxy, host)

    def proxy_refused(self, proxy: str, host: str, status: int) -> str:
        sentence = translate(
            "Core", "The proxy %1, which is set on this computer, does not let Deskbell through to %2 (%3)."
        )
        return fill(sentence, proxy, host, status)

    def gateway(self, host: str, status: int) -> str:
        return fill(translate("Core", "%1 answers, but the Deskbell server behind it does not (%2)."), host, status)

    def redirected(self, host: str, target: str) -> str:
        return fill(translate("Core", "%1 sends us on to %2. Type that address, if it is right."), host, target)

    def not_deskbell(self, address: str) -> str:
        return fill(translate("Core", "%1 answers, but it is not a Deskbell server."), address)

    def unknown_failure(self) -> str:
        return translate("Core", "The connection failed for a reason that Deskbell does not know. It keeps trying.")

    def network_stopped(self) -> str:
        return translate("Core", "The network part of Deskbell has stopped. Quit it and start it again.")

    # -- this computer --------------------------------------------------------------------------------------------

    def store_set_aside(self, name: str) -> str:
        sentence = translate(
            "Core",
            "The messages kept on this computer could not be read. They were put aside as %1; "
            "Deskbell fetches them again from the server.",
        )
        return fill(sentence, name)

    def store_outdated(self, name: str) -> str:
        sentence = translate(
            "Core",
            "The messages kept on this computer are of another version of Deskbell. They were put aside as %1; "
            "Deskbell fetches them again from the server.",
        )
        return fill(sentence, name)

    def store_unwritable(self, folder: str, why: str) -> str:
        sentence = translate(
            "Core",
            "Deskbell cannot write to %1 (%2). Until that is mended, "
            "messages and what you write are kept only while it runs.",
        )
        return fill(sentence, folder, why)

    def store_mended_title(self) -> str:
        return translate("Core", "Deskbell can write again")

    def store_mended(self) -> str:
        return translate("Core", "What came and what you wrote meanwhile is kept on this computer now.")

    def store_lost(self) -> str:
        return translate(
            "Core",
            "Deskbell cannot write to this computer's disk. What you wrote and is not sent yet is lost when you go on.",
        )

    def settings_damaged(self, path: str) -> str:
        return fill(translate("Core", "The settings in %1 could not be read. Deskbell begins with its own."), path)

    def settings_not_kept(self, path: str, why: str) -> str:
        return fill(translate("Core", "The settings could not be written to %1 (%2)."), path, why)
