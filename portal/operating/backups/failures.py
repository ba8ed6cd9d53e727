"""Why a backup or a restore did not come about, in one line for whoever runs it."""


class Failed(Exception):
    """It was not done. The text is one line for the operator."""


class StandbyFailed(Failed):
    """The standby gave up half way: the primary may still do it."""


def first_line(text: str, otherwise: str) -> str:
    """What a program said was wrong, without what it says around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines
    return telling[0] if telling else otherwise
