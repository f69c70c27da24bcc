"""Functions that NumPy lacks, as source, for the programs that ``numpy_source`` writes."""

HELPERS: dict[str, str] = {
    "sigmoid": """\
def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)""",
    "softplus": """\
def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))""",
    "relu": """\
def relu(x):
    return np.maximum(x, 0)""",
    "step": """\
def step(x):
    return np.where(x > 0, 1.0, 0.0)""",
    "dominance": """\
def dominance(x, y):
    return np.where(x == y, 0.5, x > y)""",
    "inside": """\
def inside(x, lo, hi):
    return np.where((lo <= x) & (x <= hi), 1.0, 0.0)""",
    "clip": """\
def clip(x, lo, hi):
    return np.minimum(np.maximum(x, lo), hi)""",
    "leaky_relu": """\
def leaky_relu(x, slope):
    return np.where(x > 0, x, slope * x)""",
    "elu": """\
def elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))""",
    "silu": """\
def silu(x):
    return x * sigmoid(x)""",
    "softmax": """\
def softmax(x, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)""",
    "log_softmax": """\
def log_softmax(x, axis):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))""",
    "logsumexp": """\
def logsumexp(x, axis, keepdims):
    top = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)""",
    "standardize": """\
def standardize(x, axis, eps):
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + eps)""",
    "bce_with_logits": """\
def bce_with_logits(x, y):
    return np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))""",
    "hinge": """\
def hinge(x, y):
    return np.maximum(1 - y * x, 0)""",
    "x_over": """\
def x_over(x, y):
    return np.where(x == 0, 0.0, x / np.where(x == 0, 1.0, y))""",
    "xlogy": """\
def xlogy(x, y):
    return np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, y)))""",
    "xlog1py": """\
def xlog1py(x, y):
    return np.where(x == 0, 0.0, x * np.log1p(np.where(x == 0, 0.0, y)))""",
    "scatter": """\
def scatter(g, index, shape):
    whole = np.zeros(shape)
    np.add.at(whole, index, g)
    return whole""",
    "erf": """\
def erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)""",
    "normal_pdf": """\
def normal_pdf(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)""",
    "normal_cdf": """\
def normal_cdf(x):
    return np.vectorize(math.erfc, otypes=[float])(-x / np.sqrt(2)) / 2""",
    "gelu": """\
def gelu(x):
    return x * normal_cdf(x)""",
    "gelu_slope": """\
def gelu_slope(x):
    return normal_cdf(x) + x * normal_pdf(x)""",
    "silu_slope": """\
def silu_slope(x):
    return sigmoid(x) * (1 + x * sigmoid(-x))""",
    "share_of_extremum": """\
def share_of_extremum(x, extremum, axis):
    hit = x == np.reshape(extremum, np.sum(x, axis=axis, keepdims=True).shape)
    return hit / np.sum(hit, axis=axis, keepdims=True)""",
    "softmax_minus_labels": """\
def softmax_minus_labels(x, labels):
    return softmax(x, axis=-1) - np.eye(x.shape[-1])[labels]""",
    "log_of_base": """\
def log_of_base(x, y):
    return np.log(np.where((x == 0) & (y >= 0), 1.0, x))""",
    "power_derivative": """\
def power_derivative(x, y, k):
    factor = np.prod([y - i for i in range(k)], axis=0)
    return np.where(factor == 0, 0.0, factor * x ** (y - k))""",
    "huber": """\
def huber(e, delta):
    size = np.abs(e)
    return np.where(size <= delta, e**2 / 2, delta * (size - delta / 2))""",
}
