#include "base/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;
using calque::test::TemporaryFolder;

TEST_CASE("a lock is held once, and names its holder", "[base]") {
  const TemporaryFolder folder;
  const std::string own = std::to_string(getpid());
  {
    const FileLock first(folder / "lock");
    CHECK(first.is_taken());
    CHECK(first.holder() == own);
    CHECK(read_file(folder / "lock") == own + "\n");
    const FileLock second(folder / "lock");
    CHECK(!second.is_taken());
    CHECK(second.holder() == own);
    CHECK(FileLock(folder / "other").is_taken());
  }
  CHECK(FileLock(folder / "lock").is_taken());
  CHECK_THROWS_AS(FileLock(folder / "nowhere" / "lock"), UserError);
}

TEST_CASE("the lock of a killed process is free at once", "[base]") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const FileLock lock(path);
    const char done = lock.is_taken() ? 'y' : 'n';
    if (write(ready[1], &done, 1) == 1) pause();
    _exit(0);
  }
  char taken = 'n';
  REQUIRE(read(ready[0], &taken, 1) == 1);
  CHECK(taken == 'y');
  CHECK(!FileLock(path).is_taken());
  CHECK(FileLock(path).holder() == std::to_string(child));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const FileLock lock(path);
  CHECK(lock.is_taken());
  CHECK(lock.holder() == std::to_string(getpid()));
  close(ready[0]);
  close(ready[1]);
}
