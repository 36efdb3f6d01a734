// LayerNorm, softmax and the activations: everything that is not a matrix product.
#include <string.h>

#include "internal.h"


static int finish(
    vit_primitive **primitive, dnnl_status_t status, dnnl_primitive_desc_t description, int count, const int *ids,
    const dnnl_query_t *queries, const int *indices) {
    if (status != dnnl_success) return (int)status;
    return vit_primitive_finish(primitive, description, count, ids, queries, indices);
}

static dnnl_status_t matrix(vit_desc *desc, int64_t rows, int64_t width) {
    return vit_desc_strided(desc, rows, width, width, 1);
}

static const unsigned norm_flags = dnnl_use_scale | dnnl_use_shift;

static dnnl_status_t describe_norm(
    dnnl_primitive_desc_t *description, int64_t rows, int64_t width, float epsilon, int backward) {
    vit_desc data, statistics;
    dnnl_primitive_attr_t attributes;
    TRY(matrix(&data, rows, width));
    TRY(vit_desc_vector(&statistics, rows));
    TRY(vit_attributes(&attributes));
    dnnl_status_t status;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_layer_normalization_forward_primitive_desc_create(
        &forward, vit_engine(), dnnl_forward_training, data, data, statistics, epsilon, norm_flags, attributes);
    if (status == dnnl_success && backward) {
        status = dnnl_layer_normalization_backward_primitive_desc_create(
            description, vit_engine(), dnnl_backward, data, data, data, statistics, epsilon, norm_flags, forward,
            attributes);
        dnnl_primitive_desc_destroy(forward);
    } else {
        *description = forward;
    }
#else
    dnnl_layer_normalization_desc_t operation;
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_layer_normalization_forward_desc_init(
        &operation, dnnl_forward_training, &data, &statistics, epsilon, norm_flags);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &operation, attributes, vit_engine(), NULL);
    if (status == dnnl_success && backward) {
        status = dnnl_layer_normalization_backward_desc_init(
            &operation, dnnl_backward, &data, &data, &statistics, epsilon, norm_flags);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(description, &operation, attributes, vit_engine(), forward);
        dnnl_primitive_desc_destroy(forward);
    } else {
        *description = forward;
    }
#endif
    dnnl_primitive_attr_destroy(attributes);
    vit_desc_free(&data);
    vit_desc_free(&statistics);
    return status;
}

int vit_layer_norm_create(vit_primitive **primitive, int64_t rows, int64_t width, float epsilon) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_norm(&description, rows, width, epsilon, 0);
    const int ids[] = {DNNL_ARG_SRC, DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_DST, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE};
    const dnnl_query_t queries[] = {dnnl_query_exec_arg_md, dnnl_query_exec_arg_md, dnnl_query_exec_arg_md,
                                    dnnl_query_exec_arg_md, dnnl_query_exec_arg_md, dnnl_query_exec_arg_md};
    return finish(primitive, status, description, 6, ids, queries, ids);
}

int vit_layer_norm_run(
    const vit_primitive *primitive, vit_context *context, const float *x, const float *scale, const float *shift,
    float *y, float *mean, float *variance) {
    void *const pointers[] = {(void *)x, (void *)scale, (void *)shift, y, mean, variance};
    return vit_primitive_run(primitive, context, pointers);
}

int vit_layer_norm_backward_create(vit_primitive **primitive, int64_t rows, int64_t width, float epsilon) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_norm(&description, rows, width, epsilon, 1);
    const int ids[] = {DNNL_ARG_SRC,      DNNL_ARG_DIFF_DST, DNNL_ARG_SCALE,      DNNL_ARG_MEAN,
                       DNNL_ARG_VARIANCE, DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT};
    const dnnl_query_t queries[] = {dnnl_query_exec_arg_md, dnnl_query_exec_arg_md, dnnl_query_exec_arg_md,
                                    dnnl_query_exec_arg_md, dnnl_query_exec_arg_md, dnnl_query_exec_arg_md,
                                    dnnl_query_exec_arg_md, dnnl_query_exec_arg_md};
    return finish(primitive, status, description, 8, ids, queries, ids);
}

int vit_layer_norm_backward_run(
    const vit_primitive *primitive, vit_context *context, const float *x, const float *dy, const float *scale,
    const float *mean, const float *variance, float *dx, float *dscale, float *dshift) {
    void *const pointers[] = {(void *)x,        (void *)dy, (void *)scale, (void *)mean,
                              (void *)variance, dx,         dscale,        dshift};
    return vit_primitive_run(primitive, context, pointers);
}

static dnnl_status_t describe_softmax(dnnl_primitive_desc_t *description, int64_t rows, int64_t width, int backward) {
    vit_desc data;
    dnnl_primitive_attr_t attributes;
    TRY(matrix(&data, rows, width));
    TRY(vit_attributes(&attributes));
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status;
#if DNNL_VERSION_MAJOR >= 3
    status = dnnl_softmax_forward_primitive_desc_create(
        &forward, vit_engine(), dnnl_forward_training, dnnl_softmax_accurate, data, data, 1, attributes);
    if (status == dnnl_success && backward)
        status = dnnl_softmax_backward_primitive_desc_create(
            description, vit_engine(), dnnl_softmax_accurate, data, data, data, 1, forward, attributes);
#else
    dnnl_softmax_desc_t operation;
    status = dnnl_softmax_forward_desc_init(&operation, dnnl_forward_training, &data, 1);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &operation, attributes, vit_engine(), NULL);
    if (status == dnnl_success && backward) {
        status = dnnl_softmax_backward_desc_init(&operation, &data, &data, 1);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(description, &operation, attributes, vit_engine(), forward);
    }
#endif
    if (backward) dnnl_primitive_desc_destroy(forward);
    else *description = forward;
    dnnl_primitive_attr_destroy(attributes);
    vit_desc_free(&data);
    return status;
}

int vit_softmax_create(vit_primitive **primitive, int64_t rows, int64_t width) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_softmax(&description, rows, width, 0);
    const int ids[] = {DNNL_ARG_SRC, DNNL_ARG_DST};
    const dnnl_query_t queries[] = {dnnl_query_exec_arg_md, dnnl_query_exec_arg_md};
    return finish(primitive, status, description, 2, ids, queries, ids);
}

int vit_softmax_run(const vit_primitive *primitive, vit_context *context, const float *x, float *y) {
    void *const pointers[] = {(void *)x, y};
    return vit_primitive_run(primitive, context, pointers);
}

int vit_softmax_backward_create(vit_primitive **primitive, int64_t rows, int64_t width) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_softmax(&description, rows, width, 1);
    const int ids[] = {DNNL_ARG_DST, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC};
    const dnnl_query_t queries[] = {dnnl_query_exec_arg_md, dnnl_query_exec_arg_md, dnnl_query_exec_arg_md};
    return finish(primitive, status, description, 3, ids, queries, ids);
}

int vit_softmax_backward_run(
    const vit_primitive *primitive, vit_context *context, const float *y, const float *dy, float *dx) {
    void *const pointers[] = {(void *)y, (void *)dy, dx};
    return vit_primitive_run(primitive, context, pointers);
}

static dnnl_status_t describe_activation(
    dnnl_primitive_desc_t *description, int64_t count, int32_t activation, int backward) {
    const dnnl_alg_kind_t algorithm =
        activation == vit_activation_gelu_erf ? dnnl_eltwise_gelu_erf : dnnl_eltwise_gelu_tanh;
    vit_desc data;
    dnnl_primitive_attr_t attributes;
    TRY(matrix(&data, 1, count));
    TRY(vit_attributes(&attributes));
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status;
#if DNNL_VERSION_MAJOR >= 3
    status = dnnl_eltwise_forward_primitive_desc_create(
        &forward, vit_engine(), dnnl_forward_training, algorithm, data, data, 0.f, 0.f, attributes);
    if (status == dnnl_success && backward)
        status = dnnl_eltwise_backward_primitive_desc_create(
            description, vit_engine(), algorithm, data, data, data, 0.f, 0.f, forward, attributes);
#else
    dnnl_eltwise_desc_t operation;
    status = dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, algorithm, &data, 0.f, 0.f);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &operation, attributes, vit_engine(), NULL);
    if (status == dnnl_success && backward) {
        status = dnnl_eltwise_backward_desc_init(&operation, algorithm, &data, &data, 0.f, 0.f);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(description, &operation, attributes, vit_engine(), forward);
    }
#endif
    if (backward) dnnl_primitive_desc_destroy(forward);
    else *description = forward;
    dnnl_primitive_attr_destroy(attributes);
    vit_desc_free(&data);
    return status;
}

int vit_activation_create(vit_primitive **primitive, int64_t count, int32_t activation) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_activation(&description, count, activation, 0);
    const int ids[] = {DNNL_ARG_SRC, DNNL_ARG_DST};
    const dnnl_query_t queries[] = {dnnl_query_exec_arg_md, dnnl_query_exec_arg_md};
    return finish(primitive, status, description, 2, ids, queries, ids);
}

int vit_activation_run(const vit_primitive *primitive, vit_context *context, const float *x, float *y) {
    void *const pointers[] = {(void *)x, y};
    return vit_primitive_run(primitive, context, pointers);
}

int vit_activation_backward_create(vit_primitive **primitive, int64_t count, int32_t activation) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_activation(&description, count, activation, 1);
    const int ids[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC};
    const dnnl_query_t queries[] = {dnnl_query_exec_arg_md, dnnl_query_exec_arg_md, dnnl_query_exec_arg_md};
    return finish(primitive, status, description, 3, ids, queries, ids);
}

int vit_activation_backward_run(
    const vit_primitive *primitive, vit_context *context, const float *x, const float *dy, float *dx) {
    void *const pointers[] = {(void *)x, (void *)dy, dx};
    return vit_primitive_run(primitive, context, pointers);
}
