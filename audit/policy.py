"""Which witnesses count, and how many must have cosigned: the policy file.

For: the hub (whom to ask, when a quorum is there) and anyone who checks a receipt. Must never let one witness count
twice. Ruled by c2sp.org/tlog-policy (2026), whose text form Sigsum's policy files share:

    witness police police.example/witness+…+… https://witness.police.example
    witness health nhs.example/witness+…+…
    group partners 2 police health
    quorum partners
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from audit.checkpoint import COSIGNATURE, VerifierKey
from audit.cosignature import Cosignature
from audit.errors import PolicyInvalid, ProofError

LARGEST_POLICY_BYTES = 256 * 1024
#: The quorum of a policy that asks for no witness at all.
NONE = "none"


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness that counts: its name in the policy, its key, and where it takes checkpoints (None: nowhere)."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """At least `threshold` of the members, each a witness or an earlier group."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """A policy as read. `logs` may be empty, where the log is known from elsewhere."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, PolicyWitness]
    groups: dict[str, Group]
    quorum: str

    def met_by(self, names: Collection[str]) -> bool:
        """Whether these witnesses, by their names in the policy, are a quorum."""
        return self.quorum == NONE or self._counts(self.quorum, names)

    def met(self, cosignatures: Iterable[Cosignature]) -> bool:
        """Whether these cosignatures, which are all over one checkpoint, are a quorum."""
        signed = {cosignature.witness for cosignature in cosignatures}
        return self.met_by({one.name for one in self.witnesses.values() if one.key in signed})

    def vkeys(self) -> list[VerifierKey]:
        """The keys of all witnesses."""
        return [one.key for one in self.witnesses.values()]

    def in_words(self) -> str:
        """The quorum as a page says it."""
        if self.quorum == NONE:
            return "no witness"
        group = self.groups.get(self.quorum)
        return f"{group.threshold} of {len(group.members)} witnesses" if group else self.quorum

    def _counts(self, name: str, names: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in names
        return sum(self._counts(member, names) for member in group.members) >= group.threshold


def read_policy(text: str) -> WitnessPolicy:
    """Read a policy file. Raises: PolicyInvalid, with the number of the line."""
    if len(text.encode()) > LARGEST_POLICY_BYTES:
        raise PolicyInvalid("The policy is too long.")
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        if any((ord(char) < 0x20 and char != "\t") or ord(char) == 0x7F for char in line):
            raise PolicyInvalid(f"Line {number} holds a control character.")
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.take(words)
        except (PolicyInvalid, ProofError) as fault:
            raise PolicyInvalid(f"Line {number}: {fault}") from None
    return reader.policy()


class _Reader:
    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, PolicyWitness] = {}
        self._groups: dict[str, Group] = {}
        self._members: set[str] = set()
        self._quorum: str | None = None
        self._lines: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._take_quorum,
        }

    def take(self, words: list[str]) -> None:
        if words[0] not in self._lines:
            raise PolicyInvalid("A line begins with log, witness, group or quorum.")
        self._lines[words[0]](words[1:])

    def policy(self) -> WitnessPolicy:
        if self._quorum is None:
            raise PolicyInvalid("The policy has no quorum line.")
        return WitnessPolicy(tuple(self._logs), self._witnesses, self._groups, self._quorum)

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise PolicyInvalid("A log has a key and perhaps an address.")
        key = VerifierKey.parse(words[0])
        if any(key.public == known.public for known in self._logs):
            raise PolicyInvalid("This log stands there twice.")
        self._logs.append(key)

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise PolicyInvalid("A witness has a name, a key and perhaps an address.")
        self._require_new(words[0])
        key = VerifierKey.parse(words[1], COSIGNATURE)
        if any(key.public == known.key.public for known in self._witnesses.values()):
            raise PolicyInvalid("This witness stands there twice.")
        url = words[2].rstrip("/") if len(words) == 3 else None
        if url is not None and not url.startswith(("https://", "http://")):
            raise PolicyInvalid("The address of a witness begins with https:// or http://.")
        self._witnesses[words[0]] = PolicyWitness(words[0], key, url)

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise PolicyInvalid("A group has a name, a number and at least one member.")
        name, count, *members = words
        self._require_new(name)
        for member in members:
            self._require_known(member)
            if member in self._members:
                raise PolicyInvalid("A witness or group is a member once.")
            self._members.add(member)
        wanted = {"any": "1", "all": str(len(members))}.get(count, count)
        if not (wanted.isascii() and wanted.isdigit() and str(int(wanted)) == wanted):
            raise PolicyInvalid("How many of a group is a number, any or all.")
        if not 1 <= int(wanted) <= len(members):
            raise PolicyInvalid("A group asks for at least one and at most all of its members.")
        self._groups[name] = Group(int(wanted), tuple(members))

    def _take_quorum(self, words: list[str]) -> None:
        if len(words) != 1 or self._quorum is not None:
            raise PolicyInvalid("There is one quorum line, with one name.")
        if words[0] != NONE:
            self._require_known(words[0])
        self._quorum = words[0]

    def _require_new(self, name: str) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise PolicyInvalid("This name is taken.")

    def _require_known(self, name: str) -> None:
        if name not in self._witnesses and name not in self._groups:
            raise PolicyInvalid("A name stands for nothing above it.")
