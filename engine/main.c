#include "dosrun.h"

int main(int argc, char **argv)
{
    return dosrun_main(argc, argv);
}
