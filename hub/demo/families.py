"""Ordinary families of Thornshire: who lives with whom, who is whose, and who has moved out.

For: the hundreds of people among whom the stories hide. Must never give an ordinary person a family name
that a story needs. The mix of households follows Families and households in the UK (ONS, 2023), rounded.
"""

from dataclasses import replace

from hub.demo.builder import ORDINARY, Builder, ago, born_on
from hub.demo.names import HERITAGES, family_name, given_name, heritage_of

#: How many families and people there must be at least, those of the stories included.
LEAST_FAMILIES, LEAST_PEOPLE = 330, 1_650
_KINDS = {"couple": 44, "lone parent": 17, "step-family": 8, "three generations": 7, "older couple": 9} | {
    "living alone": 9,
    "sharing": 3,
    "lodger": 3,
}
#: Families are households of relatives; these kinds are not.
_NOT_A_FAMILY = ("living alone", "sharing")


def add_ordinary_families(b: Builder) -> None:
    """Adds ordinary households until there are enough families and enough people."""
    number = 0
    while len(b.families) < LEAST_FAMILIES or len(b.people) < LEAST_PEOPLE:
        number += 1
        kind = b.rng.choices(tuple(_KINDS), weights=tuple(_KINDS.values()))[0]
        _Household(b, f"{ORDINARY}{number:04d}", kind).settle()


class _Household:
    """One household while it is thought up."""

    def __init__(self, b: Builder, key: str, kind: str) -> None:
        self.b, self.rng, self.key, self.kind = b, b.rng, key, kind
        self.heritage = heritage_of(b.rng)
        self.family = family_name(b.rng, self.heritage)
        self.members: list[str] = []
        self.children: list[str] = []
        self.elsewhere: list[str] = []

    def settle(self) -> None:
        b, rng = self.b, self.rng
        address = b.places.next_address()
        {
            "couple": self._couple_with_children,
            "lone parent": self._lone_parent,
            "step-family": self._step_family,
            "three generations": self._three_generations,
            "older couple": self._older_couple,
            "living alone": self._alone,
            "sharing": self._sharing,
            "lodger": self._with_lodger,
        }[self.kind]()
        moved = ago(b.today, years=rng.uniform(0.3, 14))
        if rng.random() < 0.45:
            before = b.places.next_address()
            for person in self.members:
                born = b.people[person].born
                if born and born < moved:
                    b.live(f"{self.key}/before", before, person, since=max(born, ago(moved, years=6)), until=moved)
        for person in self.members:
            b.live(self.key, address, person, since=max(b.people[person].born or moved, moved))
        for person in self.elsewhere:
            b.live(f"{person}/alone", b.places.next_address(), person, since=ago(b.today, years=rng.uniform(0.5, 5)))
        if self.kind not in _NOT_A_FAMILY:
            b.families[self.key] = (*self.members, *self.elsewhere)

    # -- people ---------------------------------------------------------------------------------------

    def _person(self, role: str, sex: str, age: int, *, family: str | None = None, maiden: str | None = None) -> str:
        born = born_on(self.b.today, age, self.rng.randint(1, 12), self.rng.randint(1, 28))
        given = given_name(self.rng, self.heritage, sex, born.year)
        if self.rng.random() < 0.4:
            middle = given_name(self.rng, self.heritage, sex, born.year)
            given = f"{given} {middle}" if middle != given else given
        ethnicity = self.rng.choice(HERITAGES[self.heritage][1])
        return self.b.person(
            f"{self.key}.{role}", given, family or self.family, sex, born, ethnicity=ethnicity, maiden=maiden,
            phone=age >= 16 and self.rng.random() < 0.4,
        )  # fmt: skip

    def _bear(self, mother: str, father: str | None, how_many: int, *, family: str | None = None) -> list[str]:
        """Children of a mother (and a father); now and then twins."""
        b, rng = self.b, self.rng
        youngest_parent = min(b.age(parent) or 20 for parent in (mother, father) if parent)
        oldest = min(youngest_parent - 17, 19)
        ages = sorted({rng.randint(0, max(oldest, 0)) for _ in range(how_many)}, reverse=True)
        found: list[str] = []
        for age in ages:
            sex = rng.choice("12")
            child = self._person(f"child{len(self.children) + 1}", sex, age, family=family)
            batch = [child]
            if rng.random() < 0.02:
                twin = self._person(f"child{len(self.children) + 2}", rng.choice("12"), age, family=family)
                b.people[twin] = replace(b.people[twin], born=b.people[child].born)
                b.relate(child, "FTWIN", twin)
                batch.append(twin)
            for one in batch:
                b.relate(mother, "NMTH", one)
                if father:
                    b.relate(father, "NFTH", one)
                for other in found:
                    b.relate(other, "NSIB" if father else "HSIB", one)
            found += batch
            self.children += batch
        return found

    def _couple(self, age: int) -> tuple[str, str]:
        """A man and a woman; two in three are married, and most wives took the name."""
        b, rng = self.b, self.rng
        married = rng.random() < 0.66
        own = family_name(rng, self.heritage)
        took = married and rng.random() < 0.8
        mother = self._person("mother", "2", age, family=self.family if took else own, maiden=own if took else None)
        father = self._person("father", "1", max(age + rng.randint(-4, 8), 18))
        b.relate(father, "HUSB" if married else "DOMPART", mother)
        self.members += [mother, father]
        return mother, father

    # -- kinds of household ---------------------------------------------------------------------------

    def _couple_with_children(self) -> None:
        mother, father = self._couple(self.rng.randint(20, 52))
        self.members += self._bear(mother, father, self.rng.choices((1, 2, 3, 4), weights=(30, 44, 20, 6))[0])

    def _lone_parent(self) -> None:
        b, rng = self.b, self.rng
        age = rng.randint(19, 48)
        mother = self._person("mother", "2", age)
        father = None
        if rng.random() < 0.6:
            father = self._person(
                "father", "1", max(age + rng.randint(-3, 8), 18), family=family_name(rng, self.heritage)
            )
            self.elsewhere.append(father)
            b.relate(father, "FMRSPS", mother)
        self.members += [mother, *self._bear(mother, father, rng.choice((1, 1, 2, 2, 3)))]

    def _step_family(self) -> None:
        b, rng = self.b, self.rng
        mother, partner = self._couple(rng.randint(26, 46))
        former = self._person("former", "1", (b.age(mother) or 30) + 2, family=family_name(rng, self.heritage))
        self.elsewhere.append(former)
        older = self._bear(mother, former, rng.choice((1, 2)), family=b.people[former].family)
        younger = self._bear(mother, partner, 1)
        for one in older:
            b.relate(partner, "STPFTH", one)
            for other in younger:
                b.relate(one, "HSIB", other)
        self.members += [*older, *younger]

    def _three_generations(self) -> None:
        self._couple_with_children()
        mother = self.members[0]
        grandmother = self._person("grandmother", "2", (self.b.age(mother) or 30) + self.rng.randint(20, 30))
        self.b.relate(grandmother, "NMTH", mother)
        for child in self.children:
            self.b.relate(grandmother, "MGRMTH", child)
        self.members.append(grandmother)

    def _older_couple(self) -> None:
        mother, father = self._couple(self.rng.randint(62, 88))
        if self.rng.random() < 0.5:
            child = self._person("grown", self.rng.choice("12"), (self.b.age(mother) or 70) - self.rng.randint(21, 33))
            self.b.relate(mother, "NMTH", child)
            self.b.relate(father, "NFTH", child)
            self.elsewhere.append(child)

    def _alone(self) -> None:
        age = self.rng.choice((self.rng.randint(23, 60), self.rng.randint(66, 96)))
        sex = self.rng.choice("122")
        self.members.append(self._person("alone", sex, age))

    def _sharing(self) -> None:
        for number in range(self.rng.randint(2, 4)):
            family = family_name(self.rng, self.heritage)
            self.members.append(
                self._person(f"sharer{number}", self.rng.choice("12"), self.rng.randint(18, 27), family=family)
            )
        for one, other in zip(self.members, self.members[1:], strict=False):
            self.b.relate(one, "ROOM", other)

    def _with_lodger(self) -> None:
        self._couple_with_children()
        family = family_name(self.rng, self.heritage)
        lodger = self._person("lodger", "1", self.rng.randint(20, 50), family=family)
        self.b.relate(lodger, "ROOM", self.members[0])
        self.members.append(lodger)
