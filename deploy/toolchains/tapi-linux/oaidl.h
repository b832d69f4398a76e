// Empty on Linux: what tapi.h needs of it is in windows.h beside this file.
#pragma once
