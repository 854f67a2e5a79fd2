// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/catch.h"

// LibTorch brings glog's CHECK, which ends the program at the first failure and counts nothing.
#pragma push_macro("CHECK")
#undef CHECK
#include <ATen/ATen.h>
#pragma pop_macro("CHECK")
