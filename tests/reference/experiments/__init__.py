# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden values of the experiments, one module each, written as plainly as the formula.

Every module has `values(source) -> dict[str, numpy.ndarray]`; the names in the dictionary follow the
name of the experiment in the stored file.
"""
