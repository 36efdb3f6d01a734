#ifndef ONEDNN_FACE_H
#define ONEDNN_FACE_H
#endif
