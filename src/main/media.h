/* The media process: relays what the flow table says, and nothing else. */
#ifndef HW_MAIN_MEDIA_H
#define HW_MAIN_MEDIA_H

/* Its whole life; started by the spawner. Returns an exit code. */
int child_media(int argc, char **argv);

#endif
