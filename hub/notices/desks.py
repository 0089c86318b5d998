"""Who is brought notices: the kinds of tasks, and which roles do them."""

from policies.vocabulary import Role

#: Kinds of tasks: read a notice; before lessons, as a school; offer a return home interview.
NOTICE, SCHOOL, INTERVIEW = "NOTICE", "NOTICE_SCHOOL", "RETURN_INTERVIEW"
#: Something changed in an enquiry that somebody watches.
CHANGED = "CHANGED"
KINDS = (NOTICE, SCHOOL, INTERVIEW)
#: Who screens what comes to a front door; who stands for a school; who talks with a child that came back.
FRONT_DOOR = frozenset(
    {
        Role.MASH_SCREENING_OFFICER,
        Role.MASH_SOCIAL_WORKER,
        Role.MASH_DECISION_MAKER,
        Role.EDT_WORKER,
        Role.ADULT_SOCIAL_WORKER,
    }
)
LEADS = frozenset({Role.DSL})
INTERVIEWERS = frozenset({Role.RETURN_INTERVIEWER})
