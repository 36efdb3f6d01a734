#include "gemm.h"

#include <stddef.h>

#include "gemm_kernel.h"

static const vit_gemm_kernel *kernel_for(vit_instruction_set set, vit_gemm_format format) {
#if defined(__x86_64__)
    static const vit_gemm_kernel *const kernels[][3] = {
        [vit_portable] = {&vit_gemm_portable, &vit_gemm_portable_bf16, &vit_gemm_portable_int8},
        [vit_avx2] = {&vit_gemm_avx2, &vit_gemm_avx2_bf16, &vit_gemm_avx2_int8},
        [vit_avx_vnni] = {&vit_gemm_avx2, &vit_gemm_avx2_bf16, &vit_gemm_avx_vnni_int8},
        [vit_avx512] = {&vit_gemm_avx512, &vit_gemm_avx512_emulated_bf16, &vit_gemm_avx2_int8},
        [vit_avx512_vnni] = {&vit_gemm_avx512, &vit_gemm_avx512_emulated_bf16, &vit_gemm_avx512_vnni_int8},
        [vit_avx512_bf16] = {&vit_gemm_avx512, &vit_gemm_avx512_bf16, &vit_gemm_avx512_vnni_int8},
    };
#else
    static const vit_gemm_kernel *const kernels[][3] = {
        [vit_portable] = {&vit_gemm_portable, &vit_gemm_portable_bf16, &vit_gemm_portable_int8}};
#endif
    return kernels[set][format];
}

int vit_supports(vit_instruction_set set) {
#if defined(__x86_64__)
    const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f");
    const int has_avx512_vnni = has_avx512 && __builtin_cpu_supports("avx512bw") &&
                                __builtin_cpu_supports("avx512vnni");
    if (set == vit_avx512_bf16) return has_avx512_vnni && __builtin_cpu_supports("avx512bf16");
    if (set == vit_avx512_vnni) return has_avx512_vnni;
    if (set == vit_avx512) return has_avx512;
    if (set == vit_avx_vnni) return has_avx2 && __builtin_cpu_supports("avxvnni");
    if (set == vit_avx2) return has_avx2;
#endif
    return set == vit_portable;
}

int64_t vit_gemm_mr(vit_instruction_set set, vit_gemm_format format) { return kernel_for(set, format)->mr; }
int64_t vit_gemm_nr(vit_instruction_set set, vit_gemm_format format) { return kernel_for(set, format)->nr; }
int64_t vit_gemm_numbers_per_word(vit_instruction_set set, vit_gemm_format format) {
    return kernel_for(set, format)->numbers_per_word;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// k is divided into parts of nearly one size, at most kc.
static int64_t part_size(const vit_gemm_kernel *kernel, int64_t k, int is_across) {
    const int64_t longest = is_across ? kernel->kc_across : kernel->kc, unit = vit_floats_per_line;
    const int64_t parts = (k + longest - 1) / longest;
    return parts < 2 ? k : (k + parts * unit - 1) / (parts * unit) * unit;
}

static int64_t word_count(const vit_gemm_kernel *kernel, int64_t k) {
    return (k + kernel->numbers_per_word - 1) / kernel->numbers_per_word;
}

static int64_t rounded_stride(const vit_gemm_kernel *kernel, int64_t k) {
    if (!kernel->round_a) return 0;
    const int64_t words = kernel->parts * word_count(kernel, k);
    const int64_t lines = (words + vit_floats_per_line - 1) / vit_floats_per_line * vit_floats_per_line;
    return lines % vit_conflicting_stride == 0 ? lines + vit_floats_per_line : lines;
}

int64_t vit_gemm_rounded_stride(vit_instruction_set set, vit_gemm_format format, int64_t k) {
    return rounded_stride(kernel_for(set, format), k);
}

void vit_gemm_round_a(
    vit_instruction_set set, vit_gemm_format format, const float *a, int64_t stride, int64_t rows, int64_t k,
    float *rounded, float *scales) {
    const vit_gemm_kernel *kernel = kernel_for(set, format);
    kernel->round_a(a, stride, rows, k, rounded, rounded_stride(kernel, k), scales);
}

void vit_gemm_round_b(
    vit_instruction_set set, vit_gemm_format format, const float *b, int64_t stride, int64_t columns, int64_t k,
    float *words, int64_t word_stride, float *scales, int32_t *sums) {
    kernel_for(set, format)->round_b(b, stride, columns, k, words, word_stride, scales, sums);
}

void vit_gemm_pack_rows_of_b(
    vit_instruction_set set, vit_gemm_format format, const vit_b_matrix *matrix, int64_t first, int64_t count,
    float *packed) {
    const vit_gemm_kernel *kernel = kernel_for(set, format);
    (kernel->round_a ? kernel->pack_rows_of_b : vit_pack_b)(matrix, first, count, packed);
}

void vit_gemm_pack_rows_of_a(
    vit_instruction_set set, vit_gemm_format format, const vit_b_matrix *matrix, int64_t first, int64_t count,
    float *packed) {
    kernel_for(set, format)->pack_rows_of_a(matrix, first, count, packed);
}

int64_t vit_gemm_packed_a_stride(vit_instruction_set set, vit_gemm_format format, int64_t k) {
    const vit_gemm_kernel *kernel = kernel_for(set, format);
    return kernel->pack_rows_of_a ? kernel->mr * kernel->parts * word_count(kernel, k) : 0;
}

int64_t vit_gemm_workspace(vit_instruction_set set, vit_gemm_format format, int64_t m, int64_t k) {
    const vit_gemm_kernel *kernel = kernel_for(set, format);
    if (kernel->round_a) return m * (rounded_stride(kernel, k) + 1);
    return m * part_size(kernel, k, 0) + vit_floats_per_line;
}

// A is packed where its neighbours would evict each other from the caches.
static int packs_a(const vit_gemm_kernel *kernel, const vit_gemm_operands *operands) {
    if (operands->a_is_rounded) return 0;
    const int is_across = operands->a_row_stride == 1;
    const int64_t stride = is_across ? operands->a_column_stride : operands->a_row_stride;
    return stride % vit_conflicting_stride == 0 || (is_across && operands->n >= kernel->min_n_for_packing_a);
}

static void pack_a(
    const vit_gemm_kernel *kernel, const vit_gemm_operands *operands, int64_t first, int64_t k, float *y) {
    if (operands->a_row_stride == 1) {
        kernel->pack_a_columns(operands, first, k, y);
        return;
    }
    for (int64_t row = 0; row < operands->m; row += kernel->mr)
        kernel->pack_a_rows(
            operands->a + row * operands->a_row_stride + first, operands->a_row_stride,
            smaller(kernel->mr, operands->m - row), k, y + row * k);
}

// The first tiles of a micro-panel prefetch a share of the next one each, into the second-level cache.
static void set_prefetch(
    const vit_gemm_kernel *kernel, const vit_gemm_operands *operands, int64_t tile, vit_tile_source *from) {
    const int64_t lines = kernel->nr / vit_floats_per_line, period = kernel->prefetch_period;
    if (tile >= lines * period) {
        from->prefetch = from->b;
        from->prefetch_stride = 0;
        return;
    }
    const float *next = from->b + operands->b_panel_stride;
    if (from->b_row_stride == kernel->nr) {
        from->prefetch = next + tile * (from->k / period) * vit_floats_per_line;
        from->prefetch_stride = vit_floats_per_line;
    } else {
        from->prefetch = next + tile / lines * from->b_row_stride + tile % lines * vit_floats_per_line;
        from->prefetch_stride = period * from->b_row_stride;
    }
}

// All tiles of one micro-panel; `from` and `to` describe the first.
static void multiply_panel(const vit_gemm_kernel *kernel, int is_packed, vit_tile_source from, vit_tile_target to) {
    const vit_gemm_operands *operands = to.operands;
    const int64_t mr = kernel->mr;
    const int64_t tile_stride = operands->a_tile_stride ? operands->a_tile_stride : mr * from.a_row_stride;
    const int64_t a_step = is_packed ? mr * from.k : tile_stride;
    const int is_last_panel = to.column + kernel->nr >= operands->n;
    const vit_micro_kernel *tiles = kernel->tiles[from.a_row_stride == 1];
    for (int64_t tile = 0, left = operands->m; left > 0; tile++, left -= mr) {
        const int64_t rows = smaller(mr, left);
        if (is_packed) from.a_column_stride = rows;
        if (!is_last_panel) set_prefetch(kernel, operands, tile, &from);
        tiles[rows - 1](&from, &to);
        from.a += a_step;
        to.c += mr * operands->c_row_stride;
        if (to.residual) to.residual += mr * operands->residual_row_stride;
        if (to.a_scale) to.a_scale += mr;
    }
}

// What k inner indices from `first` on add to C.
static void multiply_part(
    const vit_gemm_kernel *kernel, const vit_gemm_operands *operands, const float *a_scale, int64_t first, int64_t k,
    float *workspace) {
    const int packs = packs_a(kernel, operands);
    if (packs) pack_a(kernel, operands, first, k, workspace);
    const float *a = packs ? workspace : operands->a + first * kernel->parts * operands->a_column_stride;
    const float *b = operands->b + first * operands->b_row_stride;
    const int accumulates = first > 0 || operands->accumulates, is_last = first + k == operands->k;
    for (int64_t column = 0; column < operands->n; column += kernel->nr) {
        const float *residual = is_last && operands->residual ? operands->residual + column : NULL;
        multiply_panel(
            kernel, packs,
            (vit_tile_source){
                .a = a, .a_row_stride = packs ? 1 : operands->a_row_stride,
                .a_column_stride = operands->a_column_stride, .b = b, .prefetch = b,
                .b_row_stride = operands->b_row_stride, .prefetch_stride = 0, .k = k},
            (vit_tile_target){operands, column, operands->c + column, residual, a_scale, accumulates, is_last});
        b += operands->b_panel_stride;
    }
}

static void multiply(
    const vit_gemm_kernel *kernel, const vit_gemm_operands *operands, const float *a_scale, float *workspace) {
    const int64_t size = part_size(kernel, operands->k, operands->a_row_stride == 1);
    for (int64_t first = 0; first < operands->k; first += size)
        multiply_part(kernel, operands, a_scale, first, smaller(size, operands->k - first), workspace);
}

void vit_gemm(
    vit_instruction_set set, vit_gemm_format format, const vit_gemm_operands *operands, float *workspace) {
    const vit_gemm_kernel *kernel = kernel_for(set, format);
    if (!kernel->round_a) {
        multiply(kernel, operands, NULL, workspace);
        return;
    }
    vit_gemm_operands rounded = *operands;
    rounded.k = word_count(kernel, operands->k);
    if (operands->a_is_rounded) {
        multiply(kernel, &rounded, operands->a_scale, NULL);
        return;
    }
    rounded.a_is_rounded = 1;
    rounded.a = workspace;
    rounded.a_row_stride = rounded_stride(kernel, operands->k);
    rounded.a_column_stride = 1;
    float *scales = workspace + operands->m * rounded.a_row_stride;
    kernel->round_a(
        operands->a, operands->a_row_stride, operands->m, operands->k, workspace, rounded.a_row_stride, scales);
    multiply(kernel, &rounded, scales, NULL);
}
