// LayerNorm and softmax.
#include <string.h>

#include "internal.h"

// The descriptions of a forward primitive and, where `wants_backward`, of the backward one that belongs to it. The
// former is a hint for the latter and is given up with `keep`.
typedef struct {
    dnnl_primitive_desc_t forward, backward;
} descriptions;

static dnnl_primitive_desc_t keep(descriptions made, int wants_backward) {
    if (!wants_backward) return made.forward;
    if (made.forward) dnnl_primitive_desc_destroy(made.forward);
    return made.backward;
}

static dnnl_status_t matrix(vit_desc *desc, int64_t rows, int64_t width) {
    return vit_desc_strided(desc, rows, width, width, 1);
}

#if DNNL_VERSION_MAJOR < 3
// oneDNN 2 describes the operation first and asks the engine for it afterwards.
static dnnl_status_t offer(
    dnnl_primitive_desc_t *description, const_dnnl_op_desc_t operation, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t hint) {
    return dnnl_primitive_desc_create(description, operation, attributes, vit_engine(), hint);
}
#endif

static dnnl_status_t describe_norm(
    descriptions *made, vit_desc data, vit_desc statistics, float epsilon, int backward,
    dnnl_primitive_attr_t attributes) {
    const unsigned flags = dnnl_use_scale | dnnl_use_shift;
#if DNNL_VERSION_MAJOR >= 3
    TRY(dnnl_layer_normalization_forward_primitive_desc_create(
        &made->forward, vit_engine(), dnnl_forward_training, data, data, statistics, epsilon, flags, attributes));
    if (!backward) return dnnl_success;
    return dnnl_layer_normalization_backward_primitive_desc_create(
        &made->backward, vit_engine(), dnnl_backward, data, data, data, statistics, epsilon, flags, made->forward,
        attributes);
#else
    dnnl_layer_normalization_desc_t operation;
    TRY(dnnl_layer_normalization_forward_desc_init(
        &operation, dnnl_forward_training, &data, &statistics, epsilon, flags));
    TRY(offer(&made->forward, &operation, attributes, NULL));
    if (!backward) return dnnl_success;
    TRY(dnnl_layer_normalization_backward_desc_init(
        &operation, dnnl_backward, &data, &data, &statistics, epsilon, flags));
    return offer(&made->backward, &operation, attributes, made->forward);
#endif
}

static int create_norm(vit_primitive **primitive, int64_t rows, int64_t width, float epsilon, int backward) {
    vit_desc data, statistics, vector;
    dnnl_primitive_attr_t attributes;
    descriptions made = {NULL, NULL};
    TRY(matrix(&data, rows, width));
    TRY(vit_desc_vector(&statistics, rows));
    TRY(vit_desc_vector(&vector, width));
    TRY(vit_attributes(&attributes));
    int status = (int)describe_norm(&made, data, statistics, epsilon, backward, attributes);
    dnnl_primitive_desc_t description = keep(made, backward);
    const vit_argument forward_arguments[] = {
        {DNNL_ARG_SRC, DESC_REF(data)},     {DNNL_ARG_SCALE, DESC_REF(vector)},
        {DNNL_ARG_SHIFT, DESC_REF(vector)}, {DNNL_ARG_DST, DESC_REF(data)},
        {DNNL_ARG_MEAN, DESC_REF(statistics)}, {DNNL_ARG_VARIANCE, DESC_REF(statistics)}};
    const vit_argument backward_arguments[] = {
        {DNNL_ARG_SRC, DESC_REF(data)},          {DNNL_ARG_DIFF_DST, DESC_REF(data)},
        {DNNL_ARG_SCALE, DESC_REF(vector)},      {DNNL_ARG_MEAN, DESC_REF(statistics)},
        {DNNL_ARG_VARIANCE, DESC_REF(statistics)}, {DNNL_ARG_DIFF_SRC, DESC_REF(data)},
        {DNNL_ARG_DIFF_SCALE, DESC_REF(vector)}, {DNNL_ARG_DIFF_SHIFT, DESC_REF(vector)},
        {DNNL_ARG_SHIFT, DESC_REF(vector)}};
    if (status == 0)
        status = backward ? vit_primitive_finish(primitive, description, 9, backward_arguments)
                          : vit_primitive_finish(primitive, description, 6, forward_arguments);
    dnnl_primitive_attr_destroy(attributes);
    vit_desc_free(&data);
    vit_desc_free(&statistics);
    vit_desc_free(&vector);
    return status;
}

int vit_layer_norm_create(vit_primitive **primitive, int64_t rows, int64_t width, float epsilon) {
    return create_norm(primitive, rows, width, epsilon, 0);
}

int vit_layer_norm_backward_create(vit_primitive **primitive, int64_t rows, int64_t width, float epsilon) {
    return create_norm(primitive, rows, width, epsilon, 1);
}

int vit_layer_norm_run(
    const vit_primitive *primitive, vit_context *context, const float *x, const float *scale, const float *shift,
    float *y, float *mean, float *variance) {
    void *const pointers[] = {(void *)x, (void *)scale, (void *)shift, y, mean, variance};
    return vit_primitive_run(primitive, context, pointers);
}

int vit_layer_norm_backward_run(
    const vit_primitive *primitive, vit_context *context, const float *x, const float *dy, const float *scale,
    const float *mean, const float *variance, float *dx, float *dscale, float *dshift) {
    // oneDNN 2 counts the shift among the inputs, though nothing depends on it: any vector of that length will do.
    void *const shift = DNNL_VERSION_MAJOR >= 3 ? NULL : (void *)scale;
    void *const pointers[] = {(void *)x, (void *)dy, (void *)scale, (void *)mean, (void *)variance,
                              dx,        dscale,     dshift,        shift};
    return vit_primitive_run(primitive, context, pointers);
}

static dnnl_status_t describe_softmax(
    descriptions *made, vit_desc data, int backward, dnnl_primitive_attr_t attributes) {
#if DNNL_VERSION_MAJOR >= 3
    TRY(dnnl_softmax_forward_primitive_desc_create(
        &made->forward, vit_engine(), dnnl_forward_training, dnnl_softmax_accurate, data, data, 1, attributes));
    if (!backward) return dnnl_success;
    return dnnl_softmax_backward_primitive_desc_create(
        &made->backward, vit_engine(), dnnl_softmax_accurate, data, data, data, 1, made->forward, attributes);
#else
    dnnl_softmax_desc_t operation;
    TRY(dnnl_softmax_forward_desc_init(&operation, dnnl_forward_training, &data, 1));
    TRY(offer(&made->forward, &operation, attributes, NULL));
    if (!backward) return dnnl_success;
    TRY(dnnl_softmax_backward_desc_init(&operation, &data, &data, 1));
    return offer(&made->backward, &operation, attributes, made->forward);
#endif
}

// One input, one output, one shape.
static int create_softmax(vit_primitive **primitive, int64_t rows, int64_t width, int backward) {
    vit_desc data;
    dnnl_primitive_attr_t attributes;
    descriptions made = {NULL, NULL};
    TRY(matrix(&data, rows, width));
    TRY(vit_attributes(&attributes));
    int status = (int)describe_softmax(&made, data, backward, attributes);
    dnnl_primitive_desc_t description = keep(made, backward);
    const vit_argument forward_arguments[] = {{DNNL_ARG_SRC, DESC_REF(data)}, {DNNL_ARG_DST, DESC_REF(data)}};
    const vit_argument backward_arguments[] = {
        {DNNL_ARG_DST, DESC_REF(data)}, {DNNL_ARG_DIFF_DST, DESC_REF(data)}, {DNNL_ARG_DIFF_SRC, DESC_REF(data)}};
    if (status == 0)
        status = backward ? vit_primitive_finish(primitive, description, 3, backward_arguments)
                          : vit_primitive_finish(primitive, description, 2, forward_arguments);
    dnnl_primitive_attr_destroy(attributes);
    vit_desc_free(&data);
    return status;
}

int vit_softmax_create(vit_primitive **primitive, int64_t rows, int64_t width) {
    return create_softmax(primitive, rows, width, 0);
}

int vit_softmax_backward_create(vit_primitive **primitive, int64_t rows, int64_t width) {
    return create_softmax(primitive, rows, width, 1);
}

int vit_softmax_run(const vit_primitive *primitive, vit_context *context, const float *x, float *y) {
    void *const pointers[] = {(void *)x, y};
    return vit_primitive_run(primitive, context, pointers);
}

int vit_softmax_backward_run(
    const vit_primitive *primitive, vit_context *context, const float *y, const float *dy, float *dx) {
    void *const pointers[] = {(void *)y, (void *)dy, dx};
    return vit_primitive_run(primitive, context, pointers);
}
