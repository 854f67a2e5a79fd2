# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One module per family of models; each has `fixtures(remote_code)`."""
