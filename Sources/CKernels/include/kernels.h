#ifndef KERNELS_H
#define KERNELS_H
#endif
