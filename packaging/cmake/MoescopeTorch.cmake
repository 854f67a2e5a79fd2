# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# LibTorch: Debian's 1.13 or any newer one. MOESCOPE_PYTHON_TORCH points to a Python interpreter with torch
# installed (the way to CUDA); otherwise CMAKE_PREFIX_PATH or Torch_DIR decide, as usual.

# One name for whichever LibTorch is found; its headers are system headers to us.
add_library(moescope_torch INTERFACE)

if(NOT MOESCOPE_PYTHON_TORCH)
    find_package(Torch REQUIRED)
    target_link_libraries(moescope_torch INTERFACE ${TORCH_LIBRARIES})
    target_include_directories(moescope_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
    return()
endif()

execute_process(
    COMMAND "${MOESCOPE_PYTHON_TORCH}" -c
        "import os, torch; print(os.path.dirname(torch.__file__), torch.__version__, int(torch._C._GLIBCXX_USE_CXX11_ABI), sep=';')"
    OUTPUT_VARIABLE _moescope_torch OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE _moescope_torch_status ERROR_VARIABLE _moescope_torch_error)
if(NOT _moescope_torch_status EQUAL 0)
    message(FATAL_ERROR
        "MOESCOPE_PYTHON_TORCH=${MOESCOPE_PYTHON_TORCH} has no usable torch:\n${_moescope_torch_error}")
endif()
list(GET _moescope_torch 0 _moescope_torch_dir)
list(GET _moescope_torch 1 _moescope_torch_version)
list(GET _moescope_torch 2 _moescope_torch_abi)
if(NOT _moescope_torch_abi)
    message(FATAL_ERROR
        "The torch of ${MOESCOPE_PYTHON_TORCH} was built with the old C++ ABI and cannot be linked "
        "with system libraries; install torch 2.7 or newer.")
endif()
message(STATUS "LibTorch ${_moescope_torch_version} of ${MOESCOPE_PYTHON_TORCH}")

# The package's own CMake files would ask for a whole CUDA toolkit, which nothing here is compiled with, and would
# take libtorch.so from the system where one is installed too. So its files are named one by one.
#
# Beside LibTorch's headers the package has others' (fmt, dnnl, pybind11), which would hide the system's and do not
# fit the system's libraries: only LibTorch's own are shown.
set(_moescope_torch_include "${PROJECT_BINARY_DIR}/torch/include")
file(MAKE_DIRECTORY "${_moescope_torch_include}")
foreach(_moescope_folder ATen c10 caffe2 torch)
    file(CREATE_LINK "${_moescope_torch_dir}/include/${_moescope_folder}"
        "${_moescope_torch_include}/${_moescope_folder}" SYMBOLIC)
endforeach()
target_include_directories(moescope_torch SYSTEM INTERFACE
    "${_moescope_torch_include}" "${_moescope_torch_include}/torch/csrc/api/include")
target_link_libraries(moescope_torch INTERFACE
    "${_moescope_torch_dir}/lib/libc10.so" "${_moescope_torch_dir}/lib/libtorch_cpu.so"
    "${_moescope_torch_dir}/lib/libtorch.so")
if(EXISTS "${_moescope_torch_dir}/lib/libtorch_cuda.so")
    # Nothing calls into it: it registers the CUDA kernels when it is loaded. What it needs itself (cuBLAS, cuDNN)
    # lies in other Python packages, where it finds them at run time.
    target_link_options(moescope_torch INTERFACE
        "LINKER:--no-as-needed,${_moescope_torch_dir}/lib/libtorch_cuda.so,--as-needed"
        "LINKER:--allow-shlib-undefined")
endif()
# Installed programs find it where it is now.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
