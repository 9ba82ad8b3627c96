"""`streamdb serve` on a file and a free port; it ends when its standard input does.

So it never outlives the test run, however that ends.
"""

import os
import signal
import sys
import threading

from streamdb.cli import main


def end_with_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_input, daemon=True).start()
sys.argv[1:] = ["serve", "--port", "0", "--db", sys.argv[1]]
main()
