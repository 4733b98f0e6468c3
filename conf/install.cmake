# Installs what is no program: the conf file, the unit and the pages for operators. Run by `cmake --install` and by CPack.
#
# Below /usr the conf file goes to /etc, as everybody expects; below another prefix to its own etc. The unit's paths follow.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(etc /etc)
else()
  set(etc "${CMAKE_INSTALL_PREFIX}/etc")
endif()
set(doc "${CMAKE_INSTALL_PREFIX}/share/doc/sluice-server")

# An operator's conf file is left alone.
if(NOT EXISTS "$ENV{DESTDIR}${etc}/sluice/sluice.conf")
  file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/sluice.conf" DESTINATION "${etc}/sluice")
endif()

file(GLOB pages "${CMAKE_CURRENT_LIST_DIR}/../docs/*.md")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/../README.md" ${pages} DESTINATION "${doc}")

file(READ "${CMAKE_CURRENT_LIST_DIR}/sluice.service" unit)
string(REPLACE "/usr/bin/" "${CMAKE_INSTALL_PREFIX}/bin/" unit "${unit}")
string(REPLACE "/etc/sluice" "${etc}/sluice" unit "${unit}")
string(REPLACE "/usr/share/doc/sluice-server" "${doc}" unit "${unit}")
set(unit_file "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/sluice.service")
message(STATUS "Installing: ${unit_file}")
file(WRITE "${unit_file}" "${unit}")
