"""Training: optimisers, the loop, its history, metrics, callbacks and checkpoints."""

from micrograd_nn.training.archive import CheckpointError
from micrograd_nn.training.callbacks import Callback, EarlyStopping, LearningRate, StopOnConvergence
from micrograd_nn.training.checkpoints import Checkpoint, load, save
from micrograd_nn.training.clipping import clip_gradients, gradient_norm
from micrograd_nn.training.fit import fit
from micrograd_nn.training.history import History
from micrograd_nn.training.metrics import accuracy, confusion_matrix, mae, mse, r2
from micrograd_nn.training.optimiser_base import Optimizer
from micrograd_nn.training.optimisers import SGD, Adam, AdamW, RMSProp
from micrograd_nn.training.prediction import evaluate, predict, predict_proba
from micrograd_nn.training.progress import ProgressLine
from micrograd_nn.training.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    LinearWarmup,
    ReduceOnPlateau,
    StepDecay,
)
from micrograd_nn.training.snapshots import Snapshots

__all__ = [
    "fit",
    "predict",
    "predict_proba",
    "evaluate",
    "History",
    "Optimizer",
    "SGD",
    "RMSProp",
    "Adam",
    "AdamW",
    "clip_gradients",
    "gradient_norm",
    "Constant",
    "StepDecay",
    "ExponentialDecay",
    "CosineDecay",
    "LinearWarmup",
    "ReduceOnPlateau",
    "Callback",
    "EarlyStopping",
    "StopOnConvergence",
    "LearningRate",
    "ProgressLine",
    "Snapshots",
    "accuracy",
    "mae",
    "mse",
    "r2",
    "confusion_matrix",
    "save",
    "load",
    "Checkpoint",
    "CheckpointError",
]
