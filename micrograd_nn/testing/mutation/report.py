"""What came of changing every rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from micrograd_nn.testing.mutation.reviewed import Key


@dataclass(frozen=True)
class Mutant:
    """One wrong change, and what became of it.

    Attributes
    ----------
    kind : {"rule", "engine", "checker"}
    name : str
        The function that was changed.
    change : str
        The lines that differ, ``-`` before and ``+`` after.
    killed_by : str
        The check that found it; "" for a survivor.
    reason : str
        Why a survivor is equivalent, from the reviewed list; "" otherwise.
    """

    kind: str
    name: str
    change: str
    killed_by: str = ""
    reason: str = ""

    @property
    def key(self) -> Key:
        """What the mutant is called in the reviewed list."""
        return self.name, self.change

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.kind})"]
        lines += [f"  {line}" for line in self.change.splitlines()]
        if self.killed_by:
            lines.append(f"  killed by {self.killed_by}")
        elif self.reason:
            lines.append(f"  equivalent: {self.reason}")
        return "\n".join(lines)


@dataclass
class MutationReport:
    """The mutants that the checks found, and those that they didn't.

    Attributes
    ----------
    killed, survivors, equivalent : list of Mutant
        Found; not found; not found and, as reviewed, no mistake.
    stale : list of (str, str)
        Entries of the reviewed list that match no survivor: the rule has changed, or a check
        now finds the mutant. They are to be removed.
    seconds : float
        How long it took.
    """

    killed: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)
    equivalent: list[Mutant] = field(default_factory=list)
    stale: list[Key] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether there is neither a survivor nor a stale entry."""
        return not self.survivors and not self.stale

    def add(self, mutant: Mutant) -> None:
        """Count a mutant."""
        if mutant.killed_by:
            self.killed.append(mutant)
        elif mutant.reason:
            self.equivalent.append(mutant)
        else:
            self.survivors.append(mutant)

    def __str__(self) -> str:
        lines = [f"{'':<10}{'mutants':>9}{'killed':>9}{'equivalent':>12}{'survivors':>11}"]
        counts = [
            Counter(m.kind for m in mutants)
            for mutants in (self.killed, self.equivalent, self.survivors)
        ]
        for kind in ("rule", "engine", "checker"):
            killed, equivalent, survivors = (count[kind] for count in counts)
            total = killed + equivalent + survivors
            if total:
                lines.append(f"{kind:<10}{total:>9,}{killed:>9,}{equivalent:>12,}{survivors:>11,}")
        lines.append(f"in {self.seconds:.1f} s")
        if self.survivors:
            lines += ["", "Survivors: no check finds these wrong."]
            for mutant in self.survivors:
                lines += ["", str(mutant)]
        if self.stale:
            lines += ["", "Stale entries of the list of equivalent mutants:"]
            for name, change in self.stale:
                lines += ["", f"[{name}]", change]
        return "\n".join(lines)
