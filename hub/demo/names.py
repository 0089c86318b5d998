"""Names for invented people, by heritage and by the years in which they were fashionable, and how they get misspelt.

For: a county whose matching is as hard as England's. Must never be used to guess anything about a person.
Source of the mix: proportions of usual residents by ethnic group, England, ONS Census 2021 (TS021), rounded.
"""

from dataclasses import dataclass
from random import Random

#: Heritage -> share in percent and the PUB01 ethnicity codes that its people state.
HERITAGES: dict[str, tuple[float, tuple[str, ...]]] = {
    "british": (74.0, ("13",)),
    "irish": (1.0, ("14",)),
    "polish": (3.5, ("17",)),
    "romanian": (2.5, ("17",)),
    "indian": (3.5, ("3",)),
    "pakistani": (3.5, ("4",)),
    "bangladeshi": (2.0, ("1",)),
    "chinese": (1.0, ("2",)),
    "african": (4.0, ("6",)),
    "caribbean": (2.0, ("7",)),
    "arab": (1.5, ("18",)),
    "mixed": (1.5, ("11", "12", "9")),
}


@dataclass(frozen=True, slots=True)
class Pool:
    """Given names for male and female, and family names."""

    male: tuple[str, ...]
    female: tuple[str, ...]
    family: tuple[str, ...]


def words(text: str) -> tuple[str, ...]:
    """Returns the words of a text."""
    return tuple(text.split())


_BRITISH_FAMILY = words(
    "Abbott Adams Allen Andrews Armstrong Atkinson Bailey Baker Ball Barker Barnes Barrett Bates Beck Bell Berry "
    "Bird Bishop Blake Bond Booth Bradley Brooks Brown Bryant Bull Burgess Burns Burton Butler Byrne Carter "
    "Chambers Chapman Clarke Cole Collins Cook Cooper Cox Craig Cross Curtis Davies Davis Dawson Day Dean Dixon "
    "Douglas Duncan Dunn Edwards Elliott Ellis Evans Farmer Fisher Fletcher Ford Foster Fowler Fox Francis Freeman "
    "French Frost Fuller Gardner George Gibbs Gibson Gilbert Goodwin Gordon Graham Grant Gray Green Griffin "
    "Griffiths Hall Hamilton Hammond Hancock Hardy Harper Harris Harrison Hart Harvey Hawkins Hayes Heath "
    "Henderson Hewitt Hicks Higgins Hill Hobbs Hodgson Holland Holmes Hopkins Howard Hudson Hughes Hunt Hunter "
    "Hutchinson Ingram Jackson James Jarvis Jenkins Jennings Johnson Johnston Jones Jordan Kay Kelly Kemp "
    "Kennedy Kent King Knight Lamb Lambert Lane Lawrence Lawson Lee Lewis Lloyd Long Lowe Lynch Mann Manning "
    "Marshall Martin Mason Matthews May McDonald Mills Mitchell Moore Morgan Morris Moss Murphy Murray Nash "
    "Neal Newman Newton Nicholls Norman Norris Oliver Osborne Owen Page Palmer Parker Parsons Payne Pearce "
    "Pearson Perkins Perry Peters Phillips Pike Poole Porter Potter Powell Pratt Price Quinn Ray Read Reeves "
    "Reynolds Rhodes Richards Richardson Riley Roberts Robertson Robinson Rogers Rose Ross Rowe Russell Ryan "
    "Saunders Scott Sharp Shaw Shepherd Simpson Skinner Slater Smart Smith Spencer Stanley Steele Stephens "
    "Stevens Stewart Stone Sutton Swift Tate Taylor Thomas Thompson Thorne Todd Tomlinson Townsend Tucker "
    "Turner Tyler Vaughan Vincent Wade Walker Wallace Walsh Walters Walton Ward Warren Waters Watkins Watson "
    "Watts Weaver Webb Webster Wells West Wheeler White Whitehead Wilkins Wilkinson Williams Willis Wilson "
    "Winter Wood Woods Wright Wyatt Yates Young"
)

#: British given names by the latest year of birth for which they are drawn (the first that fits).
_BRITISH_GIVEN: tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        1958,
        words(
            "John Peter David Michael Brian Kenneth Ronald Derek Alan Raymond Roy Dennis George William Robert "
            "Donald Arthur Frank Norman Leonard Stanley Gordon Ernest Albert Trevor Malcolm Geoffrey Terence "
            "Graham Barry Keith Roger Anthony Thomas James Edward Douglas Eric Harold Leslie"
        ),
        words(
            "Margaret Mary Jean Joan Patricia Sheila Barbara Doreen June Shirley Dorothy Joyce Maureen Elizabeth "
            "Audrey Brenda Kathleen Sylvia Eileen Pamela Betty Beryl Ann Irene Hazel Marjorie Christine Susan "
            "Jennifer Janet Carol Valerie Rita Marion Norma Vera Edna Gillian Judith Rosemary"
        ),
    ),
    (
        1982,
        words(
            "Paul Mark Andrew Stephen David Ian Gary Kevin Simon Richard Martin Nigel Neil Philip Darren Lee "
            "Jason Stuart Craig Wayne Adrian Jonathan Timothy Colin Robert Steven Christopher Matthew Nicholas "
            "Anthony Dean Carl Scott Gavin Barry Shaun Duncan Russell Justin Karl"
        ),
        words(
            "Susan Julie Karen Jacqueline Deborah Tracey Jane Helen Diane Sharon Alison Sarah Caroline Nicola "
            "Michelle Joanne Lisa Claire Amanda Samantha Tina Mandy Dawn Kerry Donna Lorraine Angela Wendy "
            "Elaine Paula Beverley Louise Rachel Heather Lesley Tracy Fiona Andrea Maria Melanie"
        ),
    ),
    (
        2004,
        words(
            "Daniel Thomas James Matthew Christopher Joshua Jack Ryan Luke Adam Liam Jordan Connor Nathan Lewis "
            "Kieran Aaron Ashley Kyle Bradley Benjamin Samuel Joseph Alexander William Jamie Callum Sean Curtis "
            "Dominic Michael Robert Jake Josh Reece Scott Dale Gareth Stuart Alex"
        ),
        words(
            "Laura Emma Gemma Rebecca Kirsty Stacey Kelly Natalie Victoria Hannah Jessica Lauren Charlotte Amy "
            "Katie Jade Chloe Danielle Sophie Bethany Emily Abigail Shannon Georgia Leanne Hayley Lucy Megan "
            "Kayleigh Zoe Naomi Jodie Stephanie Jennifer Kimberley Carly Toni Robyn Holly Melissa"
        ),
    ),
    (
        9999,
        words(
            "Oliver Harry George Noah Jack Leo Arthur Muhammad Oscar Charlie Jacob Thomas Henry Archie Theo "
            "Freddie Alfie Ethan Lucas Mason Logan Max Finley Harrison Toby Riley Tyler Jayden Kai Dylan Louie "
            "Reuben Albie Rory Jude Elijah Frankie Ronnie Sonny Roman Ellis Hugo Bobby Jaxon"
        ),
        words(
            "Olivia Amelia Isla Ava Mia Ivy Lily Isabella Freya Evie Poppy Willow Ella Grace Sophia Florence "
            "Daisy Phoebe Sienna Ruby Millie Elsie Evelyn Rosie Matilda Erin Maisie Summer Lola Harper Scarlett "
            "Amber Eliza Skye Imogen Bonnie Layla Jessica Luna Orla Nancy Ellie-Mae Lottie Darcie"
        ),
    ),
)

POOLS: dict[str, Pool] = {
    "irish": Pool(
        words("Sean Padraig Conor Cian Declan Eoin Brendan Colm Niall Oisin Fergal Ciaran Darragh Eamon"),
        words("Siobhan Aoife Niamh Orla Caoimhe Roisin Bridget Maeve Sinead Grainne Ciara Deirdre Nuala"),
        words("O'Brien O'Connor O'Neill Doherty Gallagher Brennan Nolan Kavanagh McCarthy O'Sullivan Keane Duffy"),
    ),
    "polish": Pool(
        words("Piotr Tomasz Krzysztof Jakub Mateusz Marcin Wojciech Kacper Szymon Filip Antoni Pawel"),
        words("Agnieszka Katarzyna Magdalena Zuzanna Maja Julia Joanna Anna Oliwia Lena Ewa Monika"),
        words("Nowak Wisniewski Wojcik Kaminski Lewandowski Zielinski Szymanski Wozniak Kozlowski Mazur Krawczyk"),
    ),
    "romanian": Pool(
        words("Andrei Mihai Ionut Alexandru Stefan Cristian Vlad Gabriel David Luca Marius Florin"),
        words("Elena Ioana Andreea Maria Alexandra Daniela Sofia Bianca Simona Gabriela Larisa Denisa"),
        words("Popescu Ionescu Dumitru Stan Stoica Gheorghe Matei Marin Constantin Radu Ciobanu Munteanu"),
    ),
    "indian": Pool(
        words("Rajesh Amit Sanjay Vikram Arjun Rohan Harpreet Gurpreet Dev Aarav Nikhil Ravi Jaspal Kiran"),
        words("Priya Anjali Sunita Meera Kavita Harpreet Simran Aanya Diya Nisha Jasleen Lakshmi Pooja Rani"),
        words("Patel Singh Kaur Sharma Shah Gill Dhillon Mehta Desai Joshi Nair Reddy Sandhu Chauhan Bhatt"),
    ),
    "pakistani": Pool(
        words("Muhammad Imran Asif Usman Bilal Hamza Zain Adeel Kashif Tariq Haris Yusuf Faisal Nadeem"),
        words("Ayesha Fatima Saima Nadia Zainab Hafsa Maryam Sana Rabia Shazia Iqra Amina Bushra Noor"),
        words("Khan Hussain Ahmed Malik Iqbal Mahmood Akhtar Butt Shah Mirza Raja Qureshi Bibi Chaudhry"),
    ),
    "bangladeshi": Pool(
        words("Mohammed Abdul Rahim Kamal Shafiq Tanvir Rafiq Jamal Habib Nazrul Farhan Ibrahim"),
        words("Fatema Nasrin Rahima Shahida Taslima Sultana Ruksana Farzana Mim Nusrat Hasina Jannat"),
        words("Begum Miah Uddin Rahman Islam Chowdhury Ali Khatun Hoque Sarkar Alam Choudhury"),
    ),
    "chinese": Pool(
        words("Wei Jun Ming Kai Hao Jason Kevin Chun Tian Zhi Bo Lok"),
        words("Mei Ling Xin Yan Jing Hui Li Grace Amy Fang Yu Suki"),
        words("Chan Wong Li Zhang Chen Liu Lam Cheung Huang Ng Leung Yip"),
    ),
    "african": Pool(
        words("Emmanuel Chidi Kwame Tunde Kofi Samuel Joseph Ibrahim Abdi Tendai Kelechi Femi Yonas Daniel"),
        words("Blessing Grace Amina Ngozi Abena Chioma Funmi Esther Hodan Rutendo Adaeze Mercy Selam Faith"),
        words("Adeyemi Mensah Okeke Osei Boateng Nwosu Moyo Mohamed Eze Asante Tesfaye Owusu Balogun Ncube"),
    ),
    "caribbean": Pool(
        words("Winston Delroy Marcus Leon Tyrone Jermaine Andre Isaiah Errol Malachi Devon Tre"),
        words("Yvonne Marcia Shanice Keisha Beverley Renee Simone Naomi Tianna Joy Amara Kadeja"),
        words("Campbell Bailey Francis Gordon Morgan Grant Reid Henry Clarke Joseph Samuels Blackwood"),
    ),
    "arab": Pool(
        words("Omar Ali Hassan Karim Youssef Khalid Ahmad Mustafa Samir Zayd Bashar Rami"),
        words("Layla Noor Hanan Rania Salma Yasmin Mariam Huda Dina Amal Lina Reem"),
        words("Haddad Mansour Al-Amin Saleh Khoury Nasser Aziz Farouk Al-Hassan Rashid Hamdan Sabbagh"),
    ),
}

#: Short or familiar form of a given name; either may stand in a record.
NICKNAMES: dict[str, tuple[str, ...]] = {
    name: tuple(short.split("/"))
    for name, short in (
        pair.split("=")
        for pair in words(
            "Abigail=Abi/Abbie Alexander=Alex/Sandy Alexandra=Alex/Sasha Alexandru=Alex Alfie=Alf Amanda=Mandy "
            "Amelia=Millie/Amy Andrew=Andy/Drew Angela=Angie Ann=Annie Anthony=Tony Antoni=Tony Archie=Arch "
            "Arthur=Art Barbara=Barb/Babs Benjamin=Ben Bethany=Beth Beverley=Bev Bradley=Brad Brenda=Bren "
            "Caroline=Carrie Catherine=Cathy/Kate Charlotte=Lottie/Charley Christine=Chris/Chrissie "
            "Christopher=Chris Craig=Craigy Cristian=Chris Daniel=Dan/Danny Danielle=Dani David=Dave/Davey "
            "Deborah=Debbie/Debs Dennis=Den Derek=Del Dominic=Dom Donald=Don Dorothy=Dot/Dolly Douglas=Doug "
            "Edward=Ted/Eddie Elizabeth=Liz/Beth/Betty Emily=Em/Emmy Emmanuel=Manny Ernest=Ernie Evelyn=Evie "
            "Florence=Flo/Florrie Frederick=Fred Gabriel=Gabe Gabriela=Gabi Geoffrey=Geoff Georgia=Georgie "
            "Gillian=Gill Gordon=Gordy Harold=Harry Harrison=Harry Henry=Harry Ibrahim=Ibby Imogen=Immy "
            "Isabella=Bella/Izzy Jacqueline=Jackie Jacob=Jake Jakub=Kuba James=Jim/Jimmy/Jamie Janet=Jan "
            "Jennifer=Jenny/Jen Jessica=Jess Joanne=Jo Jonathan=Jon John=Jack/Johnny Joseph=Joe/Joey Joshua=Josh "
            "Judith=Judy Katarzyna=Kasia Kathleen=Kath Katie=Kate Kenneth=Ken/Kenny Kimberley=Kim "
            "Krzysztof=Chris/Krzys Lawrence=Larry Leanne=Lee Leonard=Len Leslie=Les Lewis=Lew Liam=Lee "
            "Lorraine=Lori Lucy=Lu Magdalena=Magda Malcolm=Mal Margaret=Maggie/Peggy/Meg Marjorie=Marge "
            "Martin=Marty Mary=Molly Mateusz=Mati Matilda=Tilly Matthew=Matt Maureen=Mo Megan=Meg Melanie=Mel "
            "Melissa=Mel Michael=Mike/Mick Michelle=Shell Mohammed=Mo Muhammad=Mo Natalie=Nat Nathan=Nate "
            "Nicholas=Nick Nicola=Nicky Nigel=Nige Norman=Norm Oliver=Ollie Olivia=Liv/Livvy Pamela=Pam "
            "Patricia=Pat/Trish Peter=Pete Philip=Phil Phoebe=Phoebs Rachel=Rach Raymond=Ray Rebecca=Becky/Becca "
            "Richard=Rich/Dick Robert=Rob/Bob/Bobby Ronald=Ron Rosemary=Rose Russell=Russ Samantha=Sam "
            "Samuel=Sam/Sammy Sarah=Sally Sharon=Shaz Siobhan=Shiv Sophia=Sophie Stanley=Stan Stephanie=Steph "
            "Stephen=Steve Steven=Steve Stuart=Stu Susan=Sue/Susie Terence=Terry Theo=Teddy Thomas=Tom/Tommy "
            "Timothy=Tim Tomasz=Tomek Trevor=Trev Valerie=Val Victoria=Vicky/Tori Vincent=Vince Wilfred=Wilf "
            "William=Will/Bill/Billy Winifred=Win/Freda Wojciech=Wojtek Yusuf=Joe Zuzanna=Zuza"
        )
    )
}


def given_name(rng: Random, heritage: str, sex: str, birth_year: int) -> str:
    """Returns a given name that fits heritage, sex code (1 male, 2 female) and year of birth."""
    if heritage in ("british", "mixed") or (heritage == "caribbean" and rng.random() < 0.5):
        for last_year, male, female in _BRITISH_GIVEN:
            if birth_year <= last_year:
                return rng.choice(male if sex == "1" else female)
    pool = POOLS[heritage]
    return rng.choice(pool.male if sex == "1" else pool.female)


def family_name(rng: Random, heritage: str) -> str:
    """Returns a family name that fits the heritage."""
    if heritage in ("british", "mixed"):
        return rng.choice(_BRITISH_FAMILY)
    return rng.choice(POOLS[heritage].family)


def heritage_of(rng: Random) -> str:
    """Returns a heritage, drawn by its share."""
    return rng.choices(tuple(HERITAGES), weights=[share for share, _ in HERITAGES.values()])[0]


def familiar(rng: Random, given: str) -> str:
    """Returns a short form of the name, or the name itself where there is none."""
    return rng.choice(NICKNAMES.get(given, (given,)))


_SOUNDS_LIKE = (("ie", "y"), ("y", "ie"), ("ph", "f"), ("c", "k"), ("ee", "ea"), ("ll", "l"), ("tt", "t"), ("ss", "s"))


def misspelt(rng: Random, name: str) -> str:
    """Returns the name with one slip of the ear or the finger; short names stay as they are."""
    if len(name) < 4:
        return name
    heard = [name.replace(a, b, 1) for a, b in _SOUNDS_LIKE if a in name]
    if heard and rng.random() < 0.5:
        return rng.choice(heard)
    at = rng.randrange(1, len(name) - 1)
    slip = rng.choice(("drop", "double", "swap"))
    if slip == "drop":
        return name[:at] + name[at + 1 :]
    if slip == "double":
        return name[:at] + name[at] + name[at:]
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
