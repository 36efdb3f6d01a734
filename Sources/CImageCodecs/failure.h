#ifndef CODECS_FAILURE_H
#define CODECS_FAILURE_H

#include "codecs.h"

/* Fills in `error` unless it already holds an earlier failure, which is the cause. */
void codecs_fail(codecs_error *error, codecs_status status, const char *message);

#endif
