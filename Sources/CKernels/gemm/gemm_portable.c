#include <string.h>

#include "../clones.h"

// Vectors of 128 bits. Of 32 registers, six rows of four vectors leave eight for a row of B and numbers of A. Of 16, three rows
// leave four, too few for a row of B: a load takes the place of the copy that an instruction with two operands needs anyway.
#if defined(__aarch64__)
enum { mr = 6, reads_b_again = 0 };
#define KEEP(x) "+w"(x)
#elif defined(__x86_64__)
enum { mr = 3, reads_b_again = 1 };
#define KEEP(x) "+x"(x)
#else
enum { mr = 3, reads_b_again = 1 };
#define KEEP(x) "+m"(x)
#endif
enum { lanes = 4, vectors = 4, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3 };

typedef float vector __attribute__((vector_size(lanes * sizeof(float))));
typedef int mask;

// Where the processor has it, the compiler makes one instruction of multiplying and adding.
#define TARGET
#define ZERO ((vector){0})
#define BROADCAST(x) broadcast(x)
#define LOAD(from) load_whole(from)
#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

INLINED vector broadcast(float x) { return (vector){x, x, x, x}; }
INLINED vector load_whole(const float *from) {
    vector x;
    memcpy(&x, from, sizeof x);
    return x;
}
INLINED mask mask_of(int64_t count) { return count >= lanes ? lanes : count <= 0 ? 0 : (int)count; }
INLINED vector load_some(const float *from, mask count) {
    if (count == lanes) return load_whole(from);
    vector x = {0};
    memcpy(&x, from, (size_t)count * sizeof(float));
    return x;
}
INLINED void store_some(float *to, mask count, vector x) {
    if (count == lanes) memcpy(to, &x, sizeof x);
    else memcpy(to, &x, (size_t)count * sizeof(float));
}

#include "micro_kernel.h"

TILES(1) TILES(2) TILES(3)
#if defined(__aarch64__)
TILES(4) TILES(5) TILES(6)
#endif

static void pack_a_columns(const vit_gemm_operands *operands, int64_t first, int64_t k, float *y) {
    pack_columns(operands, first, k, y);
}

static void pack_a_rows(const float *a, int64_t stride, int64_t rows, int64_t k, float *y) {
    for (int64_t i = 0; i < k; i++)
        for (int64_t row = 0; row < rows; row++) y[i * rows + row] = a[row * stride + i];
}

const vit_gemm_kernel vit_gemm_portable = {
    .mr = mr,
    .nr = nr,
    .kc = 256,
    .kc_across = 256,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = 192,
#if defined(__aarch64__)
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6},
              {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6}},
#else
    .tiles = {{tile_1, tile_2, tile_3}, {packed_tile_1, packed_tile_2, packed_tile_3}},
#endif
    .pack_a_columns = pack_a_columns,
    .pack_a_rows = pack_a_rows,
};
