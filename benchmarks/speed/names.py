"""How the accounts of a measurement are called; the ceiling server reads the number out of the name."""


def account_name(number: int) -> str:
    return f"bench{number:05}"
