"""What is learned from embeddings: a task holds the truth of every row, its own parameters, its loss and its metric."""

from .attributes import AgeTask, ClassTask
from .cohorts import CohortTask
from .distilled import DistilledTask, TeacherTask
from .joint import CriteriaTask, JointTask
from .making import make_task
from .margins import MarginTask
from .task import Task
from .triplets import QuadrupletTask, TripletTask

__all__ = [
    "AgeTask",
    "ClassTask",
    "CohortTask",
    "CriteriaTask",
    "DistilledTask",
    "JointTask",
    "MarginTask",
    "QuadrupletTask",
    "Task",
    "TeacherTask",
    "TripletTask",
    "make_task",
]
