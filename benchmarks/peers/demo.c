// The step of micrograd's demo in C, in doubles: 2-16-16-1, hinge loss, L2, gradient descent.
// Eight examples at a time, one in each lane of a vector; all of a block's numbers stay in cache.

#include <string.h>

enum { IN = 2, HIDDEN = 16, LANES = 8, COUNT = HIDDEN * (IN + 1) + HIDDEN * (HIDDEN + 1) + HIDDEN + 1 };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

// Where each layer's matrix and bias begin among the parameters.
enum { W1 = 0, B1 = W1 + HIDDEN * IN, W2 = B1 + HIDDEN, B2 = W2 + HIDDEN * HIDDEN, W3 = B2 + HIDDEN,
       B3 = W3 + HIDDEN };

// x where z is positive, else 0.
typedef long mask __attribute__((vector_size(LANES * sizeof(long))));
static inline lanes where_positive(lanes z, lanes x) { return (lanes)((z > 0) & (mask)x); }

// One layer for eight examples: the sums of its units.
static inline __attribute__((always_inline)) void affine(
    const double *W, const double *b, const lanes *h, lanes *z, int n_in, int n_out) {
    for (int j = 0; j < n_out; j++) {
        lanes sum = b[j] + 0 * h[0];
        for (int i = 0; i < n_in; i++) sum += W[j * n_in + i] * h[i];
        z[j] = sum;
    }
}

// The gradients of a layer's parameters, lane by lane, and of its inputs where ``e`` is given.
static inline __attribute__((always_inline)) void affine_vjp(
    const double *W, const lanes *h, const lanes *d, lanes *dW, lanes *db, lanes *e, int n_in,
    int n_out) {
    for (int j = 0; j < n_out; j++) {
        for (int i = 0; i < n_in; i++) dW[j * n_in + i] += d[j] * h[i];
        db[j] += d[j];
    }
    if (!e) return;
    for (int i = 0; i < n_in; i++) {
        lanes sum = 0 * h[0];
        for (int j = 0; j < n_out; j++) sum += W[j * n_in + i] * d[j];
        e[i] = where_positive(h[i], sum);
    }
}

// X holds x1 of all examples, then x2; both and y are padded to a multiple of eight.
double demo_step(double *p, const double *X, const double *y, long m, long stride, double lr, double l2) {
    static lanes G[COUNT];
    memset(G, 0, sizeof G);
    lanes total = {0};
    const double share = 1.0 / m;
    for (long s = 0; s < m; s += LANES) {
        lanes x[IN], label, h1[HIDDEN], h2[HIDDEN], score, d3, d2[HIDDEN], d1[HIDDEN], there;
        for (int i = 0; i < IN; i++) memcpy(&x[i], X + i * stride + s, sizeof(lanes));
        memcpy(&label, y + s, sizeof label);
        for (int l = 0; l < LANES; l++) there[l] = s + l < m ? share : 0.0;
        affine(p + W1, p + B1, x, h1, IN, HIDDEN);
        for (int j = 0; j < HIDDEN; j++) h1[j] = where_positive(h1[j], h1[j]);
        affine(p + W2, p + B2, h1, h2, HIDDEN, HIDDEN);
        for (int j = 0; j < HIDDEN; j++) h2[j] = where_positive(h2[j], h2[j]);
        affine(p + W3, p + B3, h2, &score, HIDDEN, 1);
        lanes margin = 1 - label * score;
        total += where_positive(margin, margin) * there;
        d3 = where_positive(margin, -label * there);
        affine_vjp(p + W3, h2, &d3, G + W3, G + B3, d2, HIDDEN, 1);
        affine_vjp(p + W2, h1, d2, G + W2, G + B2, d1, HIDDEN, HIDDEN);
        affine_vjp(p + W1, x, d1, G + W1, G + B1, 0, IN, HIDDEN);
    }
    double loss = 0, norm = 0;
    for (int l = 0; l < LANES; l++) loss += total[l];
    for (int k = 0; k < COUNT; k++) {
        double g = 0;
        for (int l = 0; l < LANES; l++) g += G[k][l];
        norm += p[k] * p[k];
        p[k] -= lr * (g + 2 * l2 * p[k]);
    }
    return loss + l2 * norm;
}

double demo_steps(double *p, const double *X, const double *y, long m, long stride, double lr, double l2,
             long count) {
    double loss = 0;
    for (long i = 0; i < count; i++) loss = demo_step(p, X, y, m, stride, lr, l2);
    return loss;
}
