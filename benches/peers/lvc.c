/* lvc: times libvncclient decoding recordings from memory, as the peer that `sshvnc bench` is compared with.
 *
 *   cc -O2 -o lvc lvc.c -lvncclient
 *   lvc [--passes N] [--hash] [--json] [--memcpy] [--shipped] [--dump OUT.raw] FILE.rfb...
 *
 * A recording is what the server sent from ServerInit on, in 32 bpp, depth 24, little endian, bytes R G B X.
 * --memcpy times a plain row copy of a Raw/CopyRect recording in place of the library. --shipped leaves the library's
 * own CopyRect and fill loops in place: they go pixel by pixel, and Debian's -O2 build of them is up to five times
 * slower than the row copies that are hooked in otherwise, so without the hooks the peer would look too weak. */
#define _POSIX_C_SOURCE 200809L
#include <malloc.h>
#include <rfb/rfbclient.h>
#include <stdint.h>
#include <time.h>

/* ---- the stream ---------------------------------------------------------------------------------------------- */

static const uint8_t *at, *end;

/* The library calls these two through its PLT, so that the executable's definitions win: its decoders read
 * straight from memory, with one memcpy a read and neither a socket nor the library's 8 KiB buffer between. */
rfbBool ReadFromRFBServer(rfbClient *client, char *out, unsigned int n) {
  (void)client;
  if ((size_t)(end - at) < n) return FALSE;
  memcpy(out, at, n);
  at += n;
  return TRUE;
}
rfbBool WriteToRFBServer(rfbClient *client, const char *buf, unsigned int n) {
  (void)client, (void)buf, (void)n;
  return TRUE;
}

static unsigned be16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }

static void die(const char *file, const char *why) {
  fprintf(stderr, "lvc: %s: %s\n", file, why);
  exit(1);
}

typedef struct {
  const char *file;
  uint8_t *bytes;
  size_t length, first_message;
  unsigned width, height;
  uint8_t *picture;
} Recording;

static Recording load(const char *file) {
  static const uint8_t format[13] = {32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16};
  Recording r = {.file = file};
  FILE *f = fopen(file, "rb");
  if (!f || fseek(f, 0, SEEK_END)) die(file, "cannot be opened");
  long length = ftell(f);
  rewind(f);
  if (length < 24) die(file, "is too short for a ServerInit");
  r.length = length;
  r.bytes = malloc(r.length);
  if (!r.bytes || fread(r.bytes, 1, r.length, f) != r.length) die(file, "cannot be read");
  fclose(f);
  if (memcmp(r.bytes + 4, format, sizeof format)) die(file, "is not in the pixel format of the recordings (compressed?)");
  r.width = be16(r.bytes);
  r.height = be16(r.bytes + 2);
  size_t name = be32(r.bytes + 20);
  if (name > r.length - 24) die(file, "ends in its ServerInit");
  r.first_message = 24 + name;
  r.picture = malloc((size_t)r.width * r.height * 4 + 4);
  if (!r.picture) die(file, "has too large a picture");
  return r;
}

/* ---- what was seen ------------------------------------------------------------------------------------------- */

static struct { uint64_t updates, rectangles, pixels; } seen;

static void got_rectangle(rfbClient *client, int x, int y, int w, int h) {
  (void)client, (void)x, (void)y;
  seen.rectangles++;
  seen.pixels += (uint64_t)w * h;
}
static void got_update(rfbClient *client) { (void)client, seen.updates++; }

/* ---- one pass: the untimed preparation, then only the decoding between two looks at the clock ------------------ */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* The library's drawing hooks, a row at a time; it has compared the rectangles with its picture's size only in its own
 * loops, so these look again. */
static int inside(const rfbClient *client, int x, int y, int w, int h) {
  return x >= 0 && y >= 0 && w >= 0 && h >= 0 && x + w <= client->width && y + h <= client->height;
}

static void copy_rows(uint8_t *picture, size_t stride, int from_x, int from_y, int w, int h, int x, int y) {
  uint8_t *to = picture + y * stride + (size_t)x * 4;
  const uint8_t *from = picture + from_y * stride + (size_t)from_x * 4;
  size_t row = (size_t)w * 4;
  if (from_y >= y) for (int n = 0; n < h; n++) memmove(to + n * stride, from + n * stride, row);
  else for (int n = h; n-- > 0;) memmove(to + n * stride, from + n * stride, row);
}

static void copy_hook(rfbClient *client, int from_x, int from_y, int w, int h, int x, int y) {
  if (inside(client, from_x, from_y, w, h) && inside(client, x, y, w, h))
    copy_rows(client->frameBuffer, (size_t)client->width * 4, from_x, from_y, w, h, x, y);
}

/* GCC's -O2 would leave this loop at a pixel a step. */
__attribute__((optimize("O3"))) static void fill_hook(rfbClient *client, int x, int y, int w, int h, uint32_t colour) {
  if (!inside(client, x, y, w, h) || w == 0) return;
  uint32_t *row = (uint32_t *)client->frameBuffer + (size_t)y * client->width + x;
  for (int n = 0; n < h; n++, row += client->width)
    for (int i = 0; i < w; i++) row[i] = colour;
}

static int hooked = 1;

static rfbBool keep_picture(rfbClient *client) { (void)client; return TRUE; }

/* A new client a pass, because its zlib histories start empty. */
static double library_pass(const Recording *r) {
  rfbClient *client = rfbGetClient(8, 3, 4);
  if (!client) die(r->file, "libvncclient gives no client");
  client->MallocFrameBuffer = keep_picture;
  client->GotFrameBufferUpdate = got_rectangle;
  client->FinishedFrameBufferUpdate = got_update;
  client->canHandleNewFBSize = FALSE;
  client->appData.encodingsString = "copyrect zrle zywrle tight zlib ultra hextile corre rre raw";
  client->appData.qualityLevel = 5; /* ZYWRLE's level is not in the stream; its recordings asked for this one */
  if (hooked) {
    client->GotCopyRect = copy_hook;
    client->GotFillRect = fill_hook;
  }
  client->width = client->si.framebufferWidth = r->width;
  client->height = client->si.framebufferHeight = r->height;
  client->updateRect.w = r->width;
  client->updateRect.h = r->height;
  client->frameBuffer = r->picture;
  at = r->bytes + r->first_message;
  end = r->bytes + r->length;

  double start = now();
  while (at < end)
    if (!HandleRFBServerMessage(client)) {
      fprintf(stderr, "lvc: %s: libvncclient gives up near byte %zu\n", r->file, (size_t)(at - r->bytes));
      exit(1);
    }
  double seconds = now() - start;

  client->frameBuffer = NULL;
  rfbClientCleanup(client);
  return seconds;
}

/* The least that any decoder of Raw and CopyRect has to do: a copy a row. */
static double row_copy_pass(const Recording *r) {
  const char *short_file = "ends in the middle of a rectangle", *not_raw = "has more than Raw and CopyRect in it";
  size_t stride = (size_t)r->width * 4;
  at = r->bytes + r->first_message;
  end = r->bytes + r->length;

  double start = now();
  while (at < end) {
    if (end - at < 4 || at[0] != 0) die(r->file, not_raw);
    unsigned count = be16(at + 2);
    at += 4;
    for (unsigned i = 0; i < count; i++) {
      if (end - at < 12) die(r->file, short_file);
      unsigned x = be16(at), y = be16(at + 2), w = be16(at + 4), h = be16(at + 6);
      uint32_t encoding = be32(at + 8);
      at += 12;
      if (encoding == rfbEncodingLastRect) break;
      if (x + w > r->width || y + h > r->height) die(r->file, "has a rectangle outside its picture");
      uint8_t *to = r->picture + y * stride + (size_t)x * 4;
      size_t row = (size_t)w * 4;
      if (encoding == rfbEncodingRaw) {
        if ((size_t)(end - at) < row * h) die(r->file, short_file);
        for (unsigned n = 0; n < h; n++, at += row, to += stride) memcpy(to, at, row);
      } else if (encoding == rfbEncodingCopyRect) {
        if (end - at < 4) die(r->file, short_file);
        unsigned from_x = be16(at), from_y = be16(at + 2);
        at += 4;
        if (from_x + w > r->width || from_y + h > r->height) die(r->file, "copies from outside its picture");
        copy_rows(r->picture, stride, from_x, from_y, w, h, x, y);
      } else die(r->file, not_raw);
      got_rectangle(NULL, x, y, w, h);
    }
    got_update(NULL);
  }
  return now() - start;
}

/* ---- SHA-256 (FIPS 180-4), so that the hash needs no further library ------------------------------------------- */

static uint32_t right(uint32_t v, int n) { return v >> n | v << (32 - n); }

static void sha256_block(uint32_t state[8], const uint8_t *block) {
  static const uint32_t k[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) w[i] = be32(block + 4 * i);
  for (int i = 16; i < 64; i++)
    w[i] = w[i - 16] + (right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
           (right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10);
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t one = s[7] + (right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
    uint32_t two = (right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += one;
    s[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void sha256(const uint8_t *bytes, size_t length, char hex[65]) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t last[128] = {0};
  size_t whole = length / 64 * 64, rest = length - whole, padded = rest < 56 ? 64 : 128;
  for (size_t i = 0; i < whole; i += 64) sha256_block(state, bytes + i);
  memcpy(last, bytes + whole, rest);
  last[rest] = 0x80;
  for (int i = 0; i < 8; i++) last[padded - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
  for (size_t i = 0; i < padded; i += 64) sha256_block(state, last + i);
  for (int i = 0; i < 8; i++) sprintf(hex + 8 * i, "%08x", state[i]);
}

/* ---- the report ------------------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void silent(const char *format, ...) { (void)format; }

int main(int argc, char **argv) {
  int passes = 9, hash = 0, json = 0, row_copy = 0, files = 0;
  const char *dump = NULL;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--passes") && i + 1 < argc) passes = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--dump") && i + 1 < argc) dump = argv[++i];
    else if (!strcmp(argv[i], "--hash")) hash = 1;
    else if (!strcmp(argv[i], "--json")) json = 1;
    else if (!strcmp(argv[i], "--memcpy")) row_copy = 1;
    else if (!strcmp(argv[i], "--shipped")) hooked = 0;
    else if (argv[i][0] != '-') argv[1 + files++] = argv[i];
    else files = -argc;
  }
  if (files < 1 || passes < 1) {
    fprintf(stderr, "usage: lvc [--passes N] [--hash] [--json] [--memcpy] [--shipped] [--dump OUT.raw] FILE.rfb...\n");
    return 2;
  }
  rfbClientLog = silent;
  /* The library's scratch buffers stay mapped from pass to pass, as they do in a connection that lasts:
   * their page faults would otherwise count against it in every pass. */
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);

  double *seconds = calloc(passes, sizeof *seconds);
  if (!seconds) return 1;
  for (int i = 1; i <= files; i++) {
    Recording r = load(argv[i]);
    size_t size = (size_t)r.width * r.height * 4;
    for (int pass = 0; pass < passes; pass++) {
      memset(r.picture, 0, size);
      memset(&seen, 0, sizeof seen);
      seconds[pass] = row_copy ? row_copy_pass(&r) : library_pass(&r);
    }
    qsort(seconds, passes, sizeof *seconds, ascending);
    double median = (seconds[(passes - 1) / 2] + seconds[passes / 2]) / 2;

    char hex[65] = "";
    for (size_t p = 3; p < size; p += 4) r.picture[p] = 0;
    if (hash) sha256(r.picture, size, hex);
    if (dump) {
      FILE *f = fopen(dump, "wb");
      if (!f || fwrite(r.picture, 1, size, f) != size || fclose(f)) die(dump, "cannot be written");
    }
    if (json) {
      printf("{\"file\":\"%s\",\"updates\":%llu,\"rectangles\":%llu,\"pixels\":%llu,\"bytes\":%zu,\"seconds\":%.9f,\"seconds_min\":%.9f",
             r.file, (unsigned long long)seen.updates, (unsigned long long)seen.rectangles, (unsigned long long)seen.pixels,
             r.length, median, seconds[0]);
      printf(hash ? ",\"hash\":\"%s\"}\n" : "}\n", hex);
    } else {
      printf("%s: median %.3f ms, min %.3f ms, %llu updates, %llu rectangles, %llu pixels%s%s\n", r.file, median * 1e3,
             seconds[0] * 1e3, (unsigned long long)seen.updates, (unsigned long long)seen.rectangles,
             (unsigned long long)seen.pixels, hash ? ", " : "", hex);
    }
    fflush(stdout);
    free(r.bytes);
    free(r.picture);
  }
  free(seconds);
  return 0;
}
