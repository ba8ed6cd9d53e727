"""Asking whoever runs a command."""


def agrees(question: str) -> bool:
    """Whether the answer is yes; not where nobody is there to be asked."""
    try:
        return input(f"{question} [y/N] ").strip().lower() == "y"
    except EOFError:
        return False
