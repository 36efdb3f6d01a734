// Loops that Swift, compiled for the oldest processor of its kind, does not vectorise as well.
#ifndef VIT_KERNELS_H
#define VIT_KERNELS_H

#include "adamw.h"
#include "augment.h"
#include "bfloat16.h"
#include "elementwise.h"
#include "float16.h"
#include "gelu.h"
#include "gemm.h"
#include "gemv.h"
#include "layer_norm.h"
#include "mixing.h"
#include "multiply_adds.h"
#include "pixels.h"
#include "processors.h"
#include "reductions.h"
#include "resample.h"
#include "residual.h"
#include "sha256.h"
#include "softmax.h"

#endif
