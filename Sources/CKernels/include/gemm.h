// Matrix products in single precision, built like BLIS (Van Zee and van de Geijn 2015): a micro-kernel keeps a tile of C, mr rows
// by nr columns, in registers and adds up products of A and of a micro-panel of B, nr columns wide, over kc of the k inner indices.
#ifndef VIT_GEMM_H
#define VIT_GEMM_H

#include <stdint.h>

// The instruction sets that there are micro-kernels for. The portable one is written in the compiler's vectors of 128 bits:
// SSE2 on x86-64, NEON on Arm64.
typedef enum { vit_portable, vit_avx2, vit_avx512 } vit_instruction_set;

// Whether this processor has the instruction set.
int vit_supports(vit_instruction_set set);

// The rows and columns of a micro-kernel's tile.
int64_t vit_gemm_mr(vit_instruction_set set);
int64_t vit_gemm_nr(vit_instruction_set set);

// Rows that lie a multiple of so many floats apart map to the same sets of a cache and evict each other.
enum { vit_conflicting_stride = 1024 };

// C (m x n) = column_scale * (alpha * A (m x k) * B (k x n) + bias) + residual; where it accumulates, what C holds is added to
// alpha * A * B. Strides are in floats.
typedef struct {
    int64_t m, n, k;
    const float *a;
    int64_t a_row_stride, a_column_stride;  // one of them is 1
    const float *b;
    int64_t b_panel_stride, b_row_stride;  // from a micro-panel to the next, and from a row of it to the next
    float alpha;
    int32_t accumulates;
    const float *bias, *column_scale, *residual;  // null: left out
    int64_t residual_row_stride;
    float *c;
    int64_t c_row_stride;
} vit_gemm_operands;

// The floats of workspace, aligned to 64 bytes, that a product with so many rows and inner indices needs.
int64_t vit_gemm_workspace(vit_instruction_set set, int64_t m, int64_t k);

// Each element of C is summed in the order of k, however rows and columns are divided among calls.
void vit_gemm(vit_instruction_set set, const vit_gemm_operands *operands, float *workspace);

// A matrix B (k x n) to be packed into micro-panels of nr columns, a multiple of 16: one after the other, each row by row.
// One of its strides, in floats, is 1.
typedef struct {
    const float *b;
    int64_t row_stride, column_stride, k, n, nr;
} vit_b_matrix;

// Packs `count` micro-panels from number `first` on, each at its place in `packed`. Columns that the last one lacks are zero.
void vit_pack_b(const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed);

#endif
