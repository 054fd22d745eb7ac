# llama.cpp without its image, audio and command-line helpers: what xlit uses compiles in less than half the time.
set(LLAMA_BUILD_COMMON OFF)
