"""What a file may ask for: bounds that real music and motion stay far below, and a hostile file does not pass.

Whoever reads a file checks what its header promises against these *before* anything is allocated or looped over.
"""

MEMORY = 1 << 29  # bytes that may be held for what one file says; 512 MiB
ARRAYS = MEMORY // 4  # bytes of arrays of one file that are copied several times while they are worked with
SAMPLE_RATES = (1_000, 768_000)  # samples per second of sound
CHANNELS = 64  # of sound
PIXELS = 1 << 26  # of one picture of a film; 8K has half as many
SOUND = 1 << 31  # bytes of the samples of one sound in memory, 4 each: 6.7 hours of one channel at 22,050 Hz
FRAME_RATES = (0.001, 10_000.0)  # frames per second of motion
JOINTS = 10_000  # of one body
FRAMES = 2_000_000  # frames of one motion: nine hours at 60 per second
TEXT = 200  # letters of a message that may come from a file
