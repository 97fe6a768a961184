"""The courses by name."""

from deixis.base.problems import nearest
from deixis.errors import SettingsError
from deixis.training.lessons.course import Course
from deixis.training.teachers.e2e import E2E
from deixis.training.teachers.mmre import MMRE
from deixis.training.teachers.muie import MUIE
from deixis.training.teachers.riveg import RIVEG_NER, RIVEG_VE, RIVEG_VG
from deixis.training.teachers.vkel import VKEL, VKEL_SKETCH

_ALL = (E2E, VKEL_SKETCH, VKEL, RIVEG_VE, RIVEG_VG, RIVEG_NER, MMRE, MUIE)
COURSES: dict[str, Course] = {course.name: course for course in _ALL}
"""What can be taught, by the name that the command line has for it."""


def course_named(name: str) -> Course:
    """Return a course by its name.

    Raises:
        SettingsError: there is none (with the nearest right name).
    """
    if name not in COURSES:
        hint = nearest(name, COURSES)
        raise SettingsError(f"there is no system {name!r}{hint}; known: {', '.join(COURSES)}")
    return COURSES[name]
