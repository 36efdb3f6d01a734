/* Loops that neither oneDNN nor Swift (which is compiled for the oldest processor) does well. */
#ifndef VIT_KERNELS_H
#define VIT_KERNELS_H

#include "augment.h"
#include "ceiling.h"
#include "dots.h"
#include "gelu.h"
#include "halves.h"
#include "layer_norm.h"
#include "mixing.h"
#include "panels.h"
#include "pack.h"
#include "pixels.h"
#include "processors.h"
#include "resample.h"
#include "sha256.h"
#include "softmax.h"
#include "training.h"

#endif
