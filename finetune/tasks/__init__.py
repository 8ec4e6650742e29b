"""What is learned from embeddings: a task holds the truth of every row, its own parameters, its loss and its metric."""

from .attributes import AgeTask, AttributesTask, ClassTask, CriteriaTask
from .cohorts import CohortTask
from .distilled import DistilledTask
from .making import make_task
from .margins import MarginTask
from .task import Task
from .triplets import QuadrupletTask, TripletTask

__all__ = [
    "AgeTask",
    "AttributesTask",
    "ClassTask",
    "CohortTask",
    "CriteriaTask",
    "DistilledTask",
    "MarginTask",
    "QuadrupletTask",
    "Task",
    "TripletTask",
    "make_task",
]
