"""Training."""
from micrograd_nn.training.optimisers import SGD, Adam, AdamW, RMSProp
