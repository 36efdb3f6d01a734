// The few oneDNN calls that swift-vit needs, with one face for oneDNN 2.x and 3.x.
//
// A `vit_primitive` is compiled once for one shape and may be run from many threads at a time, each with a
// `vit_context` of its own. Nothing here starts a thread: the caller divides the work.
#ifndef VIT_ONEDNN_H
#define VIT_ONEDNN_H

#include <stddef.h>
#include <stdint.h>

typedef struct vit_primitive vit_primitive;
typedef struct vit_context vit_context;

// C (rows x columns) = residual + column_scale * (scale * A (rows x inner) * B (inner x columns) + bias)
// Strides are distances in floats between neighbours in a column and in a row; each matrix has one that is 1.
typedef struct {
    int64_t rows, inner, columns;
    int64_t a_row_stride, a_column_stride;
    int64_t b_row_stride, b_column_stride;  // not looked at where B is packed
    int64_t c_row_stride, residual_row_stride;
    float scale;
    int32_t packs_b;
    int32_t has_bias, has_column_scale, has_residual;
    int32_t accumulates;  // C += instead of C =
} vit_matmul_shape;

typedef struct {
    const float *a;
    const void *b;
    const float *bias, *column_scale, *residual;
    float *c;
} vit_matmul_arguments;

// What can fail returns 0 for success, or a oneDNN status.
const char *vit_status_text(int status);

// The version of the library that is loaded, as major * 10000 + minor * 100 + patch.
int vit_onednn_version(void);

// Makes the OpenMP runtime under oneDNN use the calling thread alone, for calls from this thread.
void vit_use_calling_thread_only(void);

// What one thread needs to run primitives: a stream and scratch memory that grows to the largest need.
int vit_context_create(vit_context **context);
void vit_context_destroy(vit_context *context);

// `packed_like`, where not null, is a matmul with the same inner and columns whose packed B this one is to read too.
int vit_matmul_create(
    vit_primitive **primitive, const vit_matmul_shape *shape, const vit_primitive *packed_like);
int vit_matmul_run(const vit_primitive *primitive, vit_context *context, const vit_matmul_arguments *arguments);

// For a matmul that packs B: the bytes of the packed copy, and the copy from `b` with the given strides.
size_t vit_packed_size(const vit_primitive *primitive);
int vit_pack(
    const vit_primitive *primitive, vit_context *context, const float *b, int64_t row_stride, int64_t column_stride,
    void *packed);

// Where the packed copy is blocks of `width` columns, one after the other and each as tiles of 16 rows x width columns:
// that width, else 0. Whoever knows the layout may make the copy, faster than oneDNN's reorder, which takes up to twenty
// times as long where rows lie a power of two apart.
int64_t vit_packed_block_width(const vit_primitive *primitive);

void vit_primitive_destroy(vit_primitive *primitive);

#endif
