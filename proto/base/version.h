/* version.h - which callout this is, for whoever has to say it. */
#ifndef CALLOUT_BASE_VERSION_H
#define CALLOUT_BASE_VERSION_H

#define CALLOUT_VERSION "0.1.0"

#endif
