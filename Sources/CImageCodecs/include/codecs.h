#ifndef CODECS_H
#define CODECS_H
#endif
