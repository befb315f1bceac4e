#include "goruntime/go_runtime.h"
