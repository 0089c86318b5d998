"""What a person may see and decide about themselves: what is held, who looked, what they share, what is wrong.

For: members of the public who signed in with an identity that a national service vouches for. Must never show a row
that says something about another person, and never let anybody learn here that somebody is worried about a child.
UK GDPR Articles 7(3), 12, 15, 16 and 21; Data Protection Act 2018 Schedules 2 and 3.
"""
