#include <string.h>

#include "support.h"

static const double pi = 3.14159265358979323846;

static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double gelu_slope(double x) { return normal_cdf(x) + x * exp(-x * x / 2) / sqrt(2 * pi); }
static double gelu_tanh(double x) { return x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))); }
static double gelu_tanh_slope(double x) { return (gelu_tanh(x + 1e-5) - gelu_tanh(x - 1e-5)) / 2e-5; }
static double quick_gelu(double x) { return x / (1 + exp(-1.702 * x)); }
static double quick_gelu_slope(double x) { return (quick_gelu(x + 1e-5) - quick_gelu(x - 1e-5)) / 2e-5; }

static void test_gelu(void) {
    const size_t count = 1003;
    float *x = random_floats(count), *dy = random_floats(count), *y = unwritten_floats(count);
    for (size_t i = 0; i < count; i++) x[i] *= 6;
    vit_gelu(x, count, y);
    for (size_t i = 0; i < count; i++) expect_near("gelu", y[i], x[i] * normal_cdf(x[i]), 1, 2e-6);
    vit_gelu_backward(x, dy, count, y);
    for (size_t i = 0; i < count; i++) expect_near("gelu_backward", y[i], dy[i] * gelu_slope(x[i]), 1, 2e-6);
    vit_gelu_tanh(x, count, y);
    for (size_t i = 0; i < count; i++) expect_near("gelu_tanh", y[i], gelu_tanh(x[i]), 1, 2e-6);
    vit_gelu_tanh_backward(x, dy, count, y);
    for (size_t i = 0; i < count; i++) expect_near("gelu_tanh_backward", y[i], dy[i] * gelu_tanh_slope(x[i]), 1, 2e-6);
    vit_quick_gelu(x, count, y);
    for (size_t i = 0; i < count; i++) expect_near("quick_gelu", y[i], quick_gelu(x[i]), 1, 2e-6);
    vit_quick_gelu_backward(x, dy, count, y);
    for (size_t i = 0; i < count; i++) expect_near("quick_gelu_backward", y[i], dy[i] * quick_gelu_slope(x[i]), 1, 2e-6);
    for (size_t i = 0; i < count; i++) x[i] = i % 2 ? NAN : i % 4 ? 1e4f : -1e4f;
    vit_gelu(x, count, y);
    for (size_t i = 0; i < count; i++)
        if (i % 2 ? !isnan(y[i]) : fabsf(y[i] - (i % 4 ? 1e4f : 0)) > 2e-6f) expect_near("gelu of NaN, or far out", y[i], 0, 1, 0);
    free(x), free(dy), free(y);
}

static void test_softmax(size_t rows, size_t width, size_t stride) {
    float *x = random_floats(rows * stride), *y = unwritten_floats(rows * stride);
    float *dy = random_floats(rows * stride), *dx = unwritten_floats(rows * stride);
    for (size_t i = 0; i < rows * stride; i++) x[i] *= 8;
    memcpy(y, x, rows * stride * sizeof(float));
    memcpy(dx, dy, rows * stride * sizeof(float));
    vit_softmax(y, rows, width, stride);
    vit_softmax_backward(y, rows, width, stride, dx);
    for (size_t row = 0; row < rows; row++) {
        double sum = 0, product = 0;
        for (size_t i = 0; i < width; i++) sum += exp(x[row * stride + i]);
        for (size_t i = 0; i < width; i++) product += exp(x[row * stride + i]) / sum * dy[row * stride + i];
        for (size_t i = 0; i < width; i++) {
            const size_t place = row * stride + i;
            const double probability = exp(x[place]) / sum;
            expect_near("softmax", y[place], probability, 1, 1e-6);
            expect_near("softmax_backward", dx[place], probability * (dy[place] - product), 1, 2e-6);
        }
        for (size_t i = width; i < stride; i++) expect_near("beside softmax", y[row * stride + i], x[row * stride + i], 1, 0);
    }
    free(x), free(y), free(dy), free(dx);
}

static void test_layer_norm(size_t rows, size_t width) {
    const double epsilon = 1e-6f;
    float *x = random_floats(rows * width), *dy = random_floats(rows * width), *residual = random_floats(rows * width);
    float *weight = random_floats(width), *bias = random_floats(width);
    float *y = unwritten_floats(rows * width), *dx = unwritten_floats(rows * width);
    float *means = unwritten_floats(rows), *variances = unwritten_floats(rows);
    float *d_weight = random_floats(width), *d_bias = random_floats(width);
    double *expected_d_weight = calloc(width, sizeof(double)), *expected_d_bias = calloc(width, sizeof(double));
    for (size_t i = 0; i < width; i++) expected_d_weight[i] = d_weight[i], expected_d_bias[i] = d_bias[i];
    vit_layer_norm(x, rows, width, weight, bias, 1e-6f, y, means, variances);
    vit_layer_norm_backward(
        x, dy, rows, width, weight, 1e-6f, means, variances, residual, dx, d_weight, d_bias);
    for (size_t row = 0; row < rows; row++) {
        const float *from = x + row * width, *gradient = dy + row * width;
        double mean = 0, variance = 0, sum = 0, product = 0;
        for (size_t i = 0; i < width; i++) mean += from[i] / (double)width;
        for (size_t i = 0; i < width; i++) variance += (from[i] - mean) * (from[i] - mean) / (double)width;
        const double factor = 1 / sqrt(variance + epsilon);
        for (size_t i = 0; i < width; i++) {
            const double normalized = (from[i] - mean) * factor;
            expect_near("layer_norm", y[row * width + i], normalized * weight[i] + bias[i], 1, 2e-6);
            sum += (double)gradient[i] * weight[i] / (double)width;
            product += (double)gradient[i] * weight[i] * normalized / (double)width;
            expected_d_weight[i] += gradient[i] * normalized;
            expected_d_bias[i] += gradient[i];
        }
        for (size_t i = 0; i < width; i++) {
            const double normalized = (from[i] - mean) * factor;
            const double expected =
                ((double)gradient[i] * weight[i] - sum - normalized * product) * factor + residual[row * width + i];
            expect_near("layer_norm_backward", dx[row * width + i], expected, factor, 2e-6);
        }
    }
    for (size_t i = 0; i < width; i++) {
        expect_near("layer_norm d_weight", d_weight[i], expected_d_weight[i], (double)rows, 2e-6);
        expect_near("layer_norm d_bias", d_bias[i], expected_d_bias[i], (double)rows, 2e-6);
    }
    free(x), free(dy), free(residual), free(weight), free(bias), free(y), free(dx), free(means), free(variances);
    free(d_weight), free(d_bias), free(expected_d_weight), free(expected_d_bias);
}

static void test_adamw(void) {
    const size_t count = 77;
    const vit_adamw_settings s = {
        .learning_rate = 1e-2f, .beta1 = 0.9f, .beta2 = 0.95f, .epsilon = 1e-8f, .weight_decay = 0.05f,
        .bias_correction1 = 0.271f, .bias_correction2_root = 0.3776f, .gradient_scale = 0.5f};
    float *weights = random_floats(count), *gradients = random_floats(count);
    float *first = random_floats(count), *second = random_floats(count), *before[3];
    for (size_t i = 0; i < count; i++) second[i] = fabsf(second[i]);
    float *arrays[3] = {weights, first, second};
    for (int i = 0; i < 3; i++) {
        before[i] = unwritten_floats(count);
        memcpy(before[i], arrays[i], count * sizeof(float));
    }
    vit_adamw(weights, gradients, first, second, count, s);
    for (size_t i = 0; i < count; i++) {
        const double gradient = (double)gradients[i] * s.gradient_scale;
        const double m = s.beta1 * (double)before[1][i] + (1 - (double)s.beta1) * gradient;
        const double v = s.beta2 * (double)before[2][i] + (1 - (double)s.beta2) * gradient * gradient;
        const double decayed = before[0][i] * (1 - (double)s.learning_rate * s.weight_decay);
        const double step = s.learning_rate * (m / s.bias_correction1) / (sqrt(v) / s.bias_correction2_root + s.epsilon);
        expect_near("adamw first moment", first[i], m, 1, 1e-6);
        expect_near("adamw second moment", second[i], v, 1, 1e-6);
        expect_near("adamw weight", weights[i], decayed - step, 1, 2e-6);
    }
    for (int i = 0; i < 3; i++) free(arrays[i]), free(before[i]);
    free(gradients);
}

static void test_residual(int has_column_scale) {
    const size_t rows = 5, width = 37, count = rows * width;
    const float scale = 1.25f;
    float *x = random_floats(count), *branch = random_floats(count), *columns = random_floats(width);
    float *y = unwritten_floats(count), *d_branch = unwritten_floats(count), *d_columns = random_floats(width);
    float *before = unwritten_floats(width);
    memcpy(before, d_columns, width * sizeof(float));
    const float *given = has_column_scale ? columns : NULL;
    vit_add_branch(x, branch, given, scale, rows, width, y);
    vit_add_branch_backward(x, branch, given, scale, rows, width, d_branch, d_columns);
    for (size_t column = 0; column < width; column++) {
        double sum = before[column];
        for (size_t i = column; i < count; i += width) {
            const double factor = scale * (has_column_scale ? (double)columns[column] : 1);
            expect_near("add_branch", y[i], x[i] + factor * branch[i], 1, 1e-6);
            expect_near("add_branch_backward", d_branch[i], factor * x[i], 1, 1e-6);
            sum += (double)scale * x[i] * branch[i];
        }
        expect_near("column scale's gradient", d_columns[column], sum, 1, 2e-6);
    }
    free(x), free(branch), free(columns), free(y), free(d_branch), free(d_columns), free(before);
}

static void test_elementwise(void) {
    const size_t count = 123;
    float *x = random_floats(count), *y = random_floats(count), *sum = unwritten_floats(count);
    float *lerp = unwritten_floats(count), *a = unwritten_floats(count), *b = unwritten_floats(count);
    float *others[4] = {sum, lerp, b, a};
    for (int i = 0; i < 4; i++) memcpy(others[i], i == 3 ? x : y, count * sizeof(float));
    vit_add(x, count, sum);
    vit_lerp(x, count, 0.125f, lerp);
    vit_mix_pair(a, b, count, 0.75f, 0.25f);
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        expect_near("add", sum[i], (double)x[i] + y[i], 1, 1e-6);
        expect_near("lerp", lerp[i], y[i] + 0.125 * ((double)x[i] - y[i]), 1, 1e-6);
        expect_near("mix_pair", a[i], 0.75 * x[i] + 0.25 * y[i], 1, 1e-6);
        expect_near("mix_pair", b[i], 0.75 * y[i] + 0.25 * x[i], 1, 1e-6);
        squares += (double)x[i] * x[i];
    }
    expect_near("sum_of_squares", vit_sum_of_squares(x, count), squares, squares, 1e-12);
    memcpy(a, x, count * sizeof(float)), memcpy(b, y, count * sizeof(float));
    vit_swap(a, b, count);
    for (size_t i = 0; i < count; i++) expect_near("swap", a[i] - b[i], y[i] - x[i], 1, 0);
    for (int i = 0; i < 4; i++) free(others[i]);
    free(x), free(y);
}

static void test_column_sums(void) {
    const size_t rows = 9, columns = 43, stride = 50;
    float *x = random_floats(rows * stride), *sums = random_floats(columns), *before = unwritten_floats(columns);
    memcpy(before, sums, columns * sizeof(float));
    vit_add_column_sums(x, rows, columns, stride, sums);
    for (size_t column = 0; column < columns; column++) {
        double expected = before[column];
        for (size_t row = 0; row < rows; row++) expected += x[row * stride + column];
        expect_near("add_column_sums", sums[column], expected, (double)rows, 1e-6);
    }
    free(x), free(sums), free(before);
}

// Zero, subnormal, normal and infinite numbers of both signs; all others follow from those.
static void test_float16(void) {
    static const uint16_t halves[] = {0x0000, 0x8001, 0x03FF, 0x0400, 0xBC00, 0x3555, 0x7BFF, 0xFC00};
    static const double expected[] = {0, -0x1p-24, 1023 * 0x1p-24, 0x1p-14, -1, 0x1.554p-2, 65504, -INFINITY};
    float floats[8];
    vit_float32_from_float16(halves, 8, floats);
    for (int i = 0; i < 8; i++)
        if ((double)floats[i] != expected[i]) expect_near("float16", floats[i], expected[i], 1, 0);
}

// The digest's state after the one block of the message "abc" (FIPS 180-4, appendix).
static void test_sha256(void) {
    uint8_t block[64] = {'a', 'b', 'c', 0x80};
    block[63] = 24;
    uint32_t state[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t other[8];
    memcpy(other, state, sizeof state);
    vit_sha256_blocks(state, block, 1);
    vit_sha256_blocks_portable(other, block, 1);
    expect_near("sha256", state[0], 0xba7816bf, 1, 0);
    expect_near("sha256", state[7], 0xf20015ad, 1, 0);
    for (int i = 0; i < 8; i++) expect_near("sha256", state[i], other[i], 1, 0);
}

void test_operations(void) {
    test_gelu();
    const size_t widths[] = {1, 5, 16, 37, 197};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        test_softmax(7, widths[i], widths[i] + i);
        if (widths[i] > 1) test_layer_norm(9, widths[i]);
    }
    test_adamw();
    test_residual(0);
    test_residual(1);
    test_elementwise();
    test_column_sums();
    test_float16();
    test_sha256();
}
