#ifndef CODECS_FAILURE_H
#define CODECS_FAILURE_H

#include "codecs.h"

/* Fills in `error` unless it already tells of an earlier failure: the first one is the cause. */
void codecs_fail(codecs_error *error, codecs_status status, const char *message);

#endif
