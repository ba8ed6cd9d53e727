"""A table that is shown in two ways: aligned for a screen, and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """Its name in documents, what stands above it, and its cells under a header."""

    name: str
    title: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    note: str = ""

    def on_screen(self) -> str:
        """Columns under each other."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.header))]
        shown = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        return "\n".join([f"{self.title}.", *([self.note] if self.note else []), *(f"  {line}" for line in shown), ""])

    def in_markdown(self) -> str:
        """The same in a document."""
        lines = ["| " + " | ".join(line) + " |" for line in (self.header, *self.rows)]
        lines.insert(1, "|---" * len(self.header) + "|")
        return "\n".join([f"**{self.title}.** {self.note}".rstrip(), "", *lines, ""])
