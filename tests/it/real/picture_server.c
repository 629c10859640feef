/* Shows a picture by libvncserver, in its own programs' pixel format: depth 32, red lowest.
 *
 *   picture_server PICTURE.ppm MOVED.ppm -rfbport PORT ...
 *
 * On SIGUSR1 a part of the picture is moved, which is sent as CopyRect, and MOVED.ppm is what it shows then. */
#include <rfb/rfb.h>
#include <signal.h>

static volatile sig_atomic_t asked;
static void ask(int signal) {
  (void)signal;
  asked = 1;
}

int main(int argc, char **argv) {
  FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
  const char *moved = argc > 2 ? argv[2] : NULL;
  int width, height;
  if (!file || fscanf(file, "P6 %d %d 255%*1[\n]", &width, &height) != 2) return 1;
  argv[2] = argv[0];
  argc -= 2;
  rfbScreenInfoPtr screen = rfbGetScreen(&argc, argv + 2, width, height, 8, 3, 4);
  if (!screen) return 1;
  uint8_t *pixels = calloc((size_t)width * height, 4);
  for (int i = 0; i < width * height; i++)
    if (fread(pixels + 4 * i, 1, 3, file) != 3) return 1;
  fclose(file);
  screen->frameBuffer = (char *)pixels;
  screen->alwaysShared = TRUE;
  screen->cursor = NULL;
  signal(SIGUSR1, ask);
  rfbInitServer(screen);
  while (rfbIsActive(screen)) {
    rfbProcessEvents(screen, 20000);
    if (!asked) continue;
    asked = 0;
    rfbDoCopyRect(screen, 70, 50, width - 100, height - 80, 70, 50);
    file = fopen(moved, "wb");
    fprintf(file, "P6\n%d %d\n255\n", width, height);
    for (int i = 0; i < width * height; i++) fwrite(pixels + 4 * i, 1, 3, file);
    fclose(file);
  }
  return 0;
}
