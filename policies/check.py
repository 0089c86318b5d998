"""python -m policies.check [AGREEMENTS] [--cases CASE ...]: is what the officers wrote sound today?

For: the sentences of `soundness` and `tried` on the terminal, with file and line, before a release and in the
continuous check. Every file that cannot be read is named, and the others are checked. It must never change anything.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from policies.agreement import SharingAgreement
from policies.agreement_files import AgreementInvalid, gateway_register, read_agreement, same_twice
from policies.case import GatewayEntry
from policies.soundness import Remark, RemarkKind, faults, gateway_faults, notes
from policies.toml_lines import line_of
from policies.tried import Tried, case_faults, rules_tried, untried
from policies.worked import Agency, WorkedCase, load_agencies, load_cases

HERE = Path(__file__).parent


class Checked:
    """All that can be read of a folder of agreements and of the worked cases beside it; `wrong` is what cannot."""

    def __init__(self, folder: Path, gateways: Path, more_cases: list[Path]) -> None:
        self.folder, self.wrong = folder, list[Remark]()
        self.agreements = self._agreements(folder)
        self.gateways: tuple[GatewayEntry, ...] = ()
        self.agencies: dict[str, Agency] = {}
        self.cases: dict[str, tuple[WorkedCase, ...]] = {}
        beside = sorted((folder.parent / "cases").glob("*.toml"))
        try:
            self.gateways = gateway_register(gateways)
            for path in sorted((folder.parent / "cases" / "agencies").glob("*.toml")):
                self.agencies |= load_agencies(path)
        except AgreementInvalid as error:
            self._refused(error)
        for path in beside:
            try:
                self.cases[path.stem] = load_cases(path)
            except AgreementInvalid as error:
                self._refused(error, "cases/")
        self.tried = Tried()
        try:
            self.tried = rules_tried([*[path for path in beside if path.stem in self.cases], *more_cases])
        except AgreementInvalid as error:
            self._refused(error)

    def _agreements(self, folder: Path) -> tuple[SharingAgreement, ...]:
        read: list[SharingAgreement] = []
        for path in sorted(folder.glob("*.toml")):
            try:
                read.append(same_twice(read_agreement(path), read, path))
            except AgreementInvalid as error:
                self._refused(error)
        return tuple(sorted(read, key=lambda one: (one.reference, one.version)))

    def _refused(self, error: AgreementInvalid, beside: str = "") -> None:
        self.wrong.append(Remark(RemarkKind.UNREADABLE, beside + error.file, error.key, f"{error.reason}."))

    def faults(self, today: date) -> Iterator[Remark]:
        """Yield every fault: what cannot be read, what is wrong in a file, what the worked cases show."""
        yield from self.wrong
        yield from faults(self.agreements, today)
        yield from gateway_faults(self.agreements, self.gateways, today)
        if not self.wrong and (self.folder.parent / "cases").is_dir():
            yield from case_faults(self.agreements, self.cases, self.agencies, self.gateways, today)

    def notes(self, today: date) -> Iterator[Remark]:
        """Yield what deserves a look."""
        yield from notes(self.agreements, today)
        yield from untried(self.tried)

    def where(self, remark: Remark) -> str:
        """Return the file, and the line where it can be told."""
        for path in (self.folder / remark.file, self.folder.parent / remark.file):
            if remark.file and remark.place not in ("", ".") and path.is_file():
                line = line_of(path.read_text(encoding="utf-8", errors="replace"), remark.place)
                return f"{remark.file} line {line}, {remark.place}: " if line else f"{remark.file}, {remark.place}: "
        return f"{remark.file}: " if remark.file else ""


def main(arguments: list[str], today: date) -> int:
    """Print faults and notes; the exit status is 1 when there is a fault."""
    parser = argparse.ArgumentParser(prog="python -m policies.check", description="Is what the officers wrote sound?")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "agreements", help="folder with agreements")
    parser.add_argument("--cases", action="append", type=Path, default=[], help="more worked cases (TOML, JSON lines)")
    parser.add_argument("--gateways", type=Path, default=HERE / "gateways.toml", help="register of gateways")
    asked = parser.parse_args(arguments)
    checked = Checked(asked.folder, asked.gateways, asked.cases)
    wrong = list(checked.faults(today))
    for remark in wrong:
        sys.stdout.write(f"Fault: {checked.where(remark)}{remark.sentence} [{remark.kind}]\n")
    for remark in checked.notes(today):
        sys.stdout.write(f"Note: {checked.where(remark)}{remark.sentence} [{remark.kind}]\n")
    sys.stdout.write(f"{len(checked.agreements)} agreements read, {len(wrong)} faults.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], datetime.now(UTC).date()))
