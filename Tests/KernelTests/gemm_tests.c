#include <string.h>

#include "support.h"

// What a case does besides multiplying.
typedef struct {
    int64_t m, n, k;
    int reads_columns_of_a, is_packed, b_is_transposed, has_conflicting_stride, accumulates, has_epilogue, rounds_a_before;
} gemm_case;

// The largest magnitude of `count` numbers.
static float largest_of(const float *x, int64_t step, int64_t count) {
    float largest = 0;
    for (int64_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(x[i * step]));
    return largest;
}

// The number in a product's format, to nearest even: bfloat16 keeps eight bits of precision, int8 127 steps of the largest one.
static double in_format(vit_gemm_format format, float x, float largest) {
    if (format == vit_float32 || x == 0) return x;
    if (format == vit_int8) return nearbyint((double)(x * (127 / largest))) * (largest / 127);
    int exponent;
    const double fraction = frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8);
}

// C = column_scale * (alpha * A B + bias) + residual, or C + alpha * A B.
static double expected_element(
    vit_gemm_format format, const vit_gemm_operands *o, const vit_b_matrix *b, double before, int64_t row, int64_t column) {
    double sum = 0;
    const float largest_a = largest_of(o->a + row * o->a_row_stride, o->a_column_stride, o->k);
    const float largest_b = largest_of(b->b + column * b->column_stride, b->row_stride, o->k);
    for (int64_t i = 0; i < o->k; i++)
        sum += in_format(format, o->a[row * o->a_row_stride + i * o->a_column_stride], largest_a) *
               in_format(format, b->b[i * b->row_stride + column * b->column_stride], largest_b);
    sum *= o->alpha;
    if (o->accumulates) sum += before;
    if (o->bias) sum += o->bias[column];
    if (o->column_scale) sum *= o->column_scale[column];
    if (o->residual) sum += o->residual[row * o->residual_row_stride + column];
    return sum;
}

// Rounds a transposed B and packs it; int8 has scales and sums.
static void pack_rounded(
    vit_instruction_set set, vit_gemm_format format, vit_b_matrix b, float *packed, float *scales, int32_t *sums) {
    const int64_t numbers = vit_gemm_numbers_per_word(set, format), words = (b.k + numbers - 1) / numbers;
    float *rounded = unwritten_floats((size_t)(b.n * words));
    vit_gemm_round_b(set, format, b.b, b.column_stride, b.n, b.k, rounded, words, scales, sums);
    b = (vit_b_matrix){.b = rounded, .row_stride = 1, .column_stride = words, .k = words, .n = b.n, .nr = b.nr};
    vit_pack_b(&b, 0, (b.n + b.nr - 1) / b.nr, packed);
    free(rounded);
}

static void run_case(vit_instruction_set set, vit_gemm_format format, gemm_case c) {
    const int64_t nr = vit_gemm_nr(set, format), numbers = vit_gemm_numbers_per_word(set, format);
    const int64_t words = (c.k + numbers - 1) / numbers;
    if (format != vit_float32) c.is_packed = 1;
    if (format == vit_int8) c.reads_columns_of_a = 0, c.b_is_transposed = 1;
    if (!c.is_packed) c.n = (c.n + nr - 1) / nr * nr;
    const int64_t contiguous = c.reads_columns_of_a ? c.m : c.k, others = c.reads_columns_of_a ? c.k : c.m;
    const int64_t a_stride = c.has_conflicting_stride ? (contiguous + 1023) / 1024 * 1024 : contiguous + 3;
    const int64_t b_stride = (c.b_is_transposed ? c.k : c.n) + 5, c_stride = c.n + 7;
    float *a = random_floats((size_t)(a_stride * others));
    float *b = random_floats((size_t)(b_stride * (c.b_is_transposed ? c.n : c.k)));
    float *result = c.accumulates ? random_floats((size_t)(c_stride * c.m)) : unwritten_floats((size_t)(c_stride * c.m));
    float *before = unwritten_floats((size_t)(c_stride * c.m));
    memcpy(before, result, (size_t)(c_stride * c.m) * sizeof(float));
    float *bias = random_floats((size_t)c.n), *scale = random_floats((size_t)c.n);
    float *residual = random_floats((size_t)(c_stride * c.m));
    const int64_t panels = (c.n + nr - 1) / nr;
    float *packed = unwritten_floats((size_t)(panels * nr * words));
    const vit_b_matrix matrix = {
        .b = b, .row_stride = c.b_is_transposed ? 1 : b_stride, .column_stride = c.b_is_transposed ? b_stride : 1,
        .k = c.k, .n = c.n, .nr = nr};
    float *scales = unwritten_floats((size_t)c.n);
    int32_t *sums = malloc((size_t)c.n * sizeof *sums);
    if (format == vit_int8) c.accumulates = 0;
    const int64_t some = panels / 2;
    if (format != vit_float32 && c.b_is_transposed) {
        pack_rounded(set, format, matrix, packed, scales, sums);
    } else if (c.is_packed && !c.b_is_transposed) {
        vit_gemm_pack_rows_of_b(set, format, &matrix, 0, some, packed);
        vit_gemm_pack_rows_of_b(set, format, &matrix, some, panels - some, packed);
    } else if (c.is_packed) {
        vit_pack_b(&matrix, 0, some, packed);
        vit_pack_b(&matrix, some, panels - some, packed);
    }
    vit_gemm_operands operands = {
        .m = c.m, .n = c.n, .k = c.k, .a = a, .a_row_stride = c.reads_columns_of_a ? 1 : a_stride,
        .a_column_stride = c.reads_columns_of_a ? a_stride : 1, .b = c.is_packed ? packed : b,
        .b_panel_stride = c.is_packed ? words * nr : nr, .b_row_stride = c.is_packed ? nr : b_stride,
        .alpha = c.has_epilogue ? 0.25f : 1, .accumulates = c.accumulates, .b_scale = scales, .b_sum = sums, .bias = c.has_epilogue ? bias : NULL,
        .column_scale = c.has_epilogue ? scale : NULL, .residual = c.has_epilogue ? residual : NULL,
        .residual_row_stride = c_stride, .c = result, .c_row_stride = c_stride};
    float *workspace = unwritten_floats((size_t)vit_gemm_workspace(set, format, c.m, c.k));
    const int64_t rounded_stride = vit_gemm_rounded_stride(set, format, c.k);
    const int64_t mr = vit_gemm_mr(set, format), tiles = (c.m + mr - 1) / mr;
    const int64_t tile_stride = vit_gemm_packed_a_stride(set, format, c.k);
    float *rounded = unwritten_floats((size_t)(c.m * rounded_stride + tiles * tile_stride));
    float *row_scales = unwritten_floats((size_t)c.m);
    const vit_gemm_operands unrounded = operands;
    if (c.reads_columns_of_a && format != vit_float32) {
        const vit_b_matrix across = {.b = a, .row_stride = a_stride, .column_stride = 1, .k = c.k, .n = c.m, .nr = mr};
        vit_gemm_pack_rows_of_a(set, format, &across, 0, tiles / 2, rounded);
        vit_gemm_pack_rows_of_a(set, format, &across, tiles / 2, tiles - tiles / 2, rounded);
        operands.a = rounded, operands.a_is_rounded = 1, operands.a_row_stride = 1, operands.a_column_stride = mr;
        operands.a_tile_stride = tile_stride;
    } else if (c.rounds_a_before && format != vit_float32) {
        vit_gemm_round_a(set, format, a, a_stride, c.m, c.k, rounded, row_scales);
        operands.a = rounded, operands.a_row_stride = rounded_stride, operands.a_is_rounded = 1;
        operands.a_scale = row_scales;
    }
    vit_gemm(set, format, &operands, workspace);
    for (int64_t row = 0; row < c.m; row++)
        for (int64_t column = 0; column < c_stride; column++) {
            const float got = result[row * c_stride + column], old = before[row * c_stride + column];
            if (column < c.n)
                expect_near("gemm", got, expected_element(format, &unrounded, &matrix, old, row, column), (double)c.k / 8, 2e-6);
            else if (memcmp(&got, &old, sizeof got) != 0)
                expect_near("gemm beside C", got, NAN, 1, 0);
        }
    free(a), free(b), free(result), free(before), free(bias), free(scale), free(residual), free(packed), free(scales), free(sums), free(workspace), free(rounded), free(row_scales);
}

void test_gemm(vit_instruction_set set, vit_gemm_format format) {
    // Every number of rows of a tile, and parts of k.
    for (int64_t m = 1; m <= 13; m++) run_case(set, format, (gemm_case){.m = m, .n = 40, .k = 19, .is_packed = 1, .b_is_transposed = 1});
    for (int i = 0; i < 200; i++) {
        const int is_packed = random_index(3) > 0;
        run_case(
            set, format, (gemm_case){
                     .m = 1 + (int64_t)random_index(50), .n = 1 + (int64_t)random_index(i % 10 == 0 ? 300 : 90),
                     .k = 1 + (int64_t)random_index(i % 10 == 1 ? 1700 : 120), .reads_columns_of_a = random_index(2) > 0,
                     .is_packed = is_packed, .b_is_transposed = is_packed && random_index(2) > 0,
                     .has_conflicting_stride = random_index(4) == 0, .accumulates = random_index(2) > 0,
                     .has_epilogue = random_index(2) > 0, .rounds_a_before = random_index(2) > 0});
    }
}

// Sums of rounded products have the same bits with every instruction set of this processor.
void test_bits(vit_gemm_format format, const vit_instruction_set *sets, int set_count) {
    const int64_t m = 29, n = 75, k = 4211;
    float *a = random_floats((size_t)(m * k)), *b = random_floats((size_t)(n * k)), *bias = random_floats((size_t)n);
    float *scales = unwritten_floats((size_t)n), *first = NULL;
    int32_t *sums = malloc((size_t)n * sizeof *sums);
    for (int64_t i = 0; i < k; i++) a[3 * k + i] = 0;
    for (int i = 0; i < set_count; i++) {
        const int64_t nr = vit_gemm_nr(sets[i], format), panels = (n + nr - 1) / nr;
        const int64_t numbers = vit_gemm_numbers_per_word(sets[i], format), words = (k + numbers - 1) / numbers;
        float *packed = unwritten_floats((size_t)(panels * nr * words)), *c = unwritten_floats((size_t)(m * n));
        pack_rounded(
            sets[i], format, (vit_b_matrix){.b = b, .row_stride = 1, .column_stride = k, .k = k, .n = n, .nr = nr}, packed, scales,
            sums);
        const vit_gemm_operands operands = {
            .m = m, .n = n, .k = k, .a = a, .a_row_stride = k, .a_column_stride = 1, .b = packed,
            .b_panel_stride = words * nr, .b_row_stride = nr, .alpha = 1, .b_scale = scales, .b_sum = sums,
            .bias = bias, .c = c, .c_row_stride = n};
        float *workspace = unwritten_floats((size_t)vit_gemm_workspace(sets[i], format, m, k));
        vit_gemm(sets[i], format, &operands, workspace);
        for (int64_t j = 0; first && j < m * n; j++)
            if (memcmp(&c[j], &first[j], sizeof(float)) != 0) expect_near("bits", c[j], first[j], 0, -1);
        if (first) free(c);
        else first = c;
        free(packed), free(workspace);
    }
    free(a), free(b), free(bias), free(scales), free(sums), free(first);
}

void test_gemv(void) {
    for (int i = 0; i < 60; i++) {
        const size_t m = 1 + random_index(20), n = 1 + random_index(300), stride = n + random_index(9);
        float *a = random_floats(m * stride), *x = random_floats(n), *weights = random_floats(m);
        float *y = random_floats(m), *before = unwritten_floats(m), *sum = unwritten_floats(n);
        memcpy(before, y, m * sizeof(float));
        const int accumulates = i % 2;
        vit_gemv(a, stride, m, n, x, 0.5f, accumulates, y);
        vit_gemv_transposed(a, stride, m, n, weights, sum);
        for (size_t row = 0; row < m; row++) {
            double expected = 0;
            for (size_t column = 0; column < n; column++) expected += (double)a[row * stride + column] * x[column];
            expect_near("gemv", y[row], 0.5 * expected + (accumulates ? before[row] : 0), (double)n / 8, 2e-6);
        }
        for (size_t column = 0; column < n; column++) {
            double expected = 0;
            for (size_t row = 0; row < m; row++) expected += (double)weights[row] * a[row * stride + column];
            expect_near("gemv_transposed", sum[column], expected, 1, 2e-6);
        }
        free(a), free(x), free(weights), free(y), free(before), free(sum);
    }
}
